"""Working time computed another way: with Python's zoneinfo, date by date, for the tests to compare with. Slow and plain on
purpose; it shares nothing with the worker but the zone files of this machine."""

import bisect
import datetime
import functools
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = 0, 4133980800  # 1970 until 2101
DAY = 86400


def text(at):
    return (EPOCH + datetime.timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(moment):
    return int((datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")) - EPOCH).total_seconds())


def offset(zone, at):
    return int((EPOCH + datetime.timedelta(seconds=at)).astimezone(zone).utcoffset().total_seconds())


def changes(zone, first=FIRST, last=LAST, step=DAY):
    """[(instant, offset)]: the offset at first, then every change, found by steps and then by halving."""
    found = [(first, offset(zone, first))]
    at = first
    while at < last:
        after = min(at + step, last - 1) if at + step >= last else at + step
        if after <= at:
            break
        value = offset(zone, after)
        if value != found[-1][1]:
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if offset(zone, middle) != found[-1][1] else (middle, high)
            found.append((high, offset(zone, high)))
            at = high
            continue
        at = after
    return found


def without(intervals, low, high):
    """What is left of intervals outside of low to high."""
    cut = [part for a, b in intervals for part in ((a, min(b, low)), (max(a, high), b))]
    return [(a, b) for a, b in cut if a < b]


class Calendar:
    """hours: {weekday 0–6: [(from_s, until_s)]}; holidays: dates; special: {date: [(from_s, until_s)]}; all without
    intervals over midnight. closed: [(date, from_s, until_s)], parts of days that a holiday file takes."""

    def __init__(self, zone, hours, holidays=(), special=None, closed=()):
        self.zone, self.hours, self.holidays, self.special, self.closed = zoneinfo.ZoneInfo(zone), hours, set(holidays), special or {}, closed

    def of_date(self, date):
        if date in self.special:
            return self.special[date]
        if date in self.holidays:
            return []
        left = self.hours.get(date.weekday(), [])
        for day, low, high in self.closed:
            if day == date:
                left = without(left, low, high)
        return left

    @functools.lru_cache(maxsize=4096)
    def spans(self, date):
        """The open spans of a date, as instants: for each stretch of one offset, the instants whose wall clock is inside."""
        midnight = int((datetime.datetime(date.year, date.month, date.day, tzinfo=UTC) - EPOCH).total_seconds())
        first, last = midnight - 27 * 3600, midnight + 51 * 3600
        stretches = changes(self.zone, first, last, 1800)
        result = []
        for i, (begin, shift) in enumerate(stretches):
            end = stretches[i + 1][0] if i + 1 < len(stretches) else last
            for open_s, close_s in self.of_date(date):
                low, high = max(begin, midnight + open_s - shift), min(end, midnight + close_s - shift)
                if low < high:
                    result.append((low, high))
        return result

    def walk(self, start):
        """Open spans from start on, in order and apart; those of neighbouring dates may mix where a date comes back."""
        date = (EPOCH + datetime.timedelta(seconds=start)).astimezone(self.zone).date() - datetime.timedelta(days=2)
        ready, day = [], 0
        while True:
            for span in self.spans(date + datetime.timedelta(days=day)):
                bisect.insort(ready, span)
            day += 1
            while len(ready) > 1 and day > 4 and ready[0][0] < self.spans_begin(date + datetime.timedelta(days=day - 2)):
                low, high = ready.pop(0)
                while ready and ready[0][0] <= high:
                    high = max(high, ready.pop(0)[1])
                if high > start:
                    yield max(low, start), high

    @staticmethod
    def spans_begin(date):
        return int((datetime.datetime(date.year, date.month, date.day, tzinfo=UTC) - EPOCH).total_seconds()) - 15 * 3600

    def due(self, start, work):
        for low, high in self.walk(start):
            if work == 0 or work <= high - low:
                return low + work
            work -= high - low

    def elapsed(self, a, b):
        total = 0
        for low, high in self.walk(a):
            if low >= b:
                return total
            total += min(high, b) - low

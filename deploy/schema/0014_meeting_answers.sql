-- What those who are invited to a meeting answered. An answer of before the meeting's last change counts no more.
CREATE TABLE meeting_answers (
    ticket   bigint  NOT NULL,
    meeting  text    NOT NULL,
    attendee text    NOT NULL,                         -- as in meetings.attendees
    answer   text    NOT NULL,                         -- accepted, declined, tentative, counter
    version  integer NOT NULL,                         -- of the event that says so
    at       bigint  NOT NULL,
    PRIMARY KEY (ticket, meeting, attendee)
);

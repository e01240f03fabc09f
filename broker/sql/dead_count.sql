-- How many wakes were given up; more than a person looks through are not counted.
SELECT count(*) FROM (SELECT FROM dead_letters LIMIT 10000) x

-- The one row that decides about the on-call plan: who checked a change against the plan as it was writes it only as long as it is so.
CREATE TABLE oncall_plan (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    rev  bigint  NOT NULL
);
INSERT INTO oncall_plan (rev) VALUES (1);

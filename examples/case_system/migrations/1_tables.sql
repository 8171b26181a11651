-- A case: a document that somebody is to sign, and its state. Its id is the reference of the job, so that a job whose
-- creation was not recorded can be recognized.
CREATE TABLE cases (
    -- 122 random bits: it is in addresses that nobody may guess.
    id       text PRIMARY KEY DEFAULT replace(gen_random_uuid()::text, '-', ''),
    flow     text NOT NULL CHECK (flow IN ('direct', 'portal')),
    -- Portal flow: the e-mail address that the invitation goes to. Direct flow: null, because the personal
    -- identification number is sent to the service and not stored.
    email    text CHECK ((flow = 'portal') = (email IS NOT NULL)),
    title    text NOT NULL,
    -- waiting: in the outbox, or a process is creating the job
    -- unclear: the portal job may exist, and a person decides
    -- refused: the service or a rule refused it, there is no job
    -- sent: the job exists
    -- signed, failed, gone: the job has ended. gone: signed, but the service no longer has the document. failed without a
    --     number: the direct job may exist, but nobody has the address at which to sign it
    state    text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'unclear', 'refused', 'sent', 'signed', 'failed', 'gone')),
    -- A status replaces the stored one only if its progress is greater.
    progress bigint NOT NULL DEFAULT 0,
    -- The number of the job in the service.
    job      bigint UNIQUE,
    handle   jsonb,
    -- Why a person has to look at the case, besides its state: something about it cannot be stored. Null: nobody has to.
    attention text,
    created  timestamptz NOT NULL DEFAULT now(),
    -- When the end of the job was recorded.
    ended    timestamptz
);
CREATE INDEX cases_state ON cases (state);

-- The original and the signed document of a case. In a table of their own, so that a list of cases does not read them.
CREATE TABLE documents (
    case_id  text PRIMARY KEY REFERENCES cases (id),
    original bytea NOT NULL,
    signed   bytea
);

-- The calls that are still to be made. A row is added in the transaction that makes the call necessary, and removed in
-- the transaction that records its outcome.
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id  text NOT NULL REFERENCES cases (id),
    kind     text NOT NULL CHECK (kind IN ('create', 'status', 'confirm', 'delete')),
    -- What the call needs: a status query token or a reference.
    what     jsonb,
    -- infinity: the call is parked, because its outcome cannot be stored.
    due      timestamptz NOT NULL DEFAULT now(),
    -- Since when the call should have been made: attempts that fail move `due` on, and not this.
    wanted   timestamptz NOT NULL DEFAULT now(),
    -- When a process began the call. Null: no process has.
    started  timestamptz,
    attempts integer NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due ON outbox (due);
-- At most one creation of a case is under way.
CREATE UNIQUE INDEX outbox_one_creation ON outbox (case_id) WHERE kind = 'create';

-- The rate limit that all processes share: when the next call for an organization number is permitted.
CREATE TABLE pace (
    organization text PRIMARY KEY,
    next         timestamptz NOT NULL,
    -- How often the service has refused calls. It tells those who wait that their turns have moved.
    refusals     bigint NOT NULL DEFAULT 0
);

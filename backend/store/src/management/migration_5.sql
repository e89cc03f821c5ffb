-- From schema 4 to 5.
-- Names with other than ASCII characters: the few that a new name of ASCII characters is compared with.
CREATE INDEX chat_user_other_display ON chat_user (display_name) WHERE display_name GLOB '*[^ -~]*';
CREATE INDEX chat_user_other_logon ON chat_user (logon_name) WHERE logon_name GLOB '*[^ -~]*';
-- What a job needs to be resumed, written once and not with every step. Jobs of before have it in their document.
CREATE TABLE job_input (job TEXT PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE, input TEXT NOT NULL) STRICT;

-- From schema 2 to 3.
-- Several drafts, each with its name; the one of before is called main.
CREATE TABLE named_draft (
  name TEXT PRIMARY KEY COLLATE NOCASE, document TEXT NOT NULL, base INTEGER, revision INTEGER NOT NULL,
  author TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT;
INSERT INTO named_draft SELECT 'main', document, base, revision, '', 0, 0 FROM topology_draft;
DROP TABLE topology_draft;
-- Which revision last changed which field of which object: what a conflict at a field is told by.
CREATE TABLE draft_field (
  draft TEXT NOT NULL COLLATE NOCASE, place TEXT NOT NULL, revision INTEGER NOT NULL, author TEXT NOT NULL,
  PRIMARY KEY (draft, place)
) STRICT;
ALTER TABLE wizard_draft ADD COLUMN topology_draft TEXT NOT NULL DEFAULT 'main';

-- A mail can go on under a queue id that no line of the first one names: message id, sender, recipient and time tell it.

ALTER TABLE delivery_from ADD COLUMN parent_inferred BOOLEAN DEFAULT false;

COMMENT ON COLUMN delivery_from.parent_inferred IS
'No line names the parent: message id, sender, recipient and time tell it';

-- No recipient of a message is later than the message: a look-up that starts at a time skips the messages that ended before it.
-- A message that another program or its queue id's next use ended was not marked so.

UPDATE delivery_from SET updated = removed WHERE removed > updated AND id IN (SELECT from_id FROM delivery_to);

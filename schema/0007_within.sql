-- The address within one that SRS, BATV or VERP made (src/model/within.rs), with its key; NULL for ordinary ones.
-- address_within(text) is a function of the program; ingest asks the same code.

ALTER TABLE delivery_from ADD COLUMN orig_sender VARCHAR;
ALTER TABLE delivery_from ADD COLUMN orig_sender_key USMALLINT;
ALTER TABLE delivery_to ADD COLUMN recipient_within VARCHAR;
ALTER TABLE delivery_to ADD COLUMN recipient_within_key USMALLINT;
ALTER TABLE noqueue ADD COLUMN orig_sender VARCHAR;
ALTER TABLE noqueue ADD COLUMN orig_sender_key USMALLINT;
ALTER TABLE noqueue ADD COLUMN recipient_within VARCHAR;
ALTER TABLE noqueue ADD COLUMN recipient_within_key USMALLINT;

UPDATE delivery_from
SET orig_sender = address_within(sender), orig_sender_key = address_key(address_within(sender))
WHERE contains(sender, '=');

UPDATE delivery_to
SET recipient_within = address_within(recipient), recipient_within_key = address_key(address_within(recipient))
WHERE contains(recipient, '=');

UPDATE noqueue
SET
    orig_sender = address_within(sender), orig_sender_key = address_key(address_within(sender)),
    recipient_within = address_within(recipient), recipient_within_key = address_key(address_within(recipient))
WHERE contains(coalesce(sender, '') || coalesce(recipient, ''), '=');

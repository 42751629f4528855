-- Keys of addresses (src/model/key.rs), by which a scan finds the few rows that may have an address.
-- address_key(text) is a function of the program; ingest asks the same code.

ALTER TABLE delivery_to ADD COLUMN recipient_key USMALLINT;
ALTER TABLE delivery_to ADD COLUMN orig_to_key USMALLINT;
ALTER TABLE delivery_from ADD COLUMN sender_key USMALLINT;
ALTER TABLE noqueue ADD COLUMN sender_key USMALLINT;
ALTER TABLE noqueue ADD COLUMN recipient_key USMALLINT;

UPDATE delivery_to SET recipient_key = address_key(recipient), orig_to_key = address_key(orig_to);
UPDATE delivery_from SET sender_key = address_key(sender);
UPDATE noqueue SET sender_key = address_key(sender), recipient_key = address_key(recipient);

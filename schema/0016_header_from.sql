-- Whom a mail names as its author: the From header, where header_checks log it. It need not be the envelope sender.

ALTER TABLE delivery_from ADD COLUMN header_from VARCHAR;

COMMENT ON COLUMN delivery_from.header_from IS
'From header, decoded, as far as header_checks log it (INFO or WARN on /^From:/): at most 194 bytes';

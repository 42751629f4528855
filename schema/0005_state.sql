-- The correlator's state is kept in parts that change apart; a program before this would miss all but one.

COMMENT ON TABLE open_message IS 'What the correlator remembers and no other row holds: JSON in parts by name';

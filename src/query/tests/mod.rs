//! Tests of the whole stage: text in, SQL or error out.

//! Date: days since 1970-01-01 <-> year, month and day of the Gregorian calendar (H. Hinnant's algorithms).
//!
//! Every line's stamp and every time in JSON goes through here: arithmetic of its own is several times faster than a calendar library.

/// Years begin in March here, so that the leap day comes last: days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days of four centuries, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Returns the days from 1970-01-01 to a date.
#[must_use]
pub const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH
}

/// Returns year, month and day of so many days since 1970-01-01.
#[must_use]
pub const fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + EPOCH;
    let (era, of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_of_many_centuries_is_that_of_the_calendar() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let mut day = NaiveDate::from_ymd_opt(-401, 1, 1).unwrap();
        let end = NaiveDate::from_ymd_opt(2801, 1, 1).unwrap();
        while day < end {
            let (year, month, of_month) = (
                i64::from(day.year()),
                i64::from(day.month()),
                i64::from(day.day()),
            );
            let since = day.signed_duration_since(epoch).num_days();
            assert_eq!(days(year, month, of_month), since, "{day}");
            assert_eq!(date(since), (year, month, of_month), "{day}");
            day = day.succ_opt().unwrap();
        }
    }
}

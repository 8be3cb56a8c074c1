//! Lists of people as CSV (RFC 4180): a header, then one person a line. Everything that is wrong is
//! said with its line, and then nobody is imported.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;

use csv::{ReaderBuilder, StringRecord, Trim};
use zeroize::Zeroizing;

use crate::app::Failure;
use crate::app::run::kept::random;
use crate::creds::access::UserRole;
use crate::creds::password::PasswordHash;
use crate::creds::user_name::user_name;
use crate::store::{MAX_USERS, UserChange};

/// The largest file, bytes.
const LONGEST: u64 = 8 * 1024 * 1024;
/// Mistakes that are told at once.
const TOLD: usize = 20;

/// What a column holds, by the names it may have: the second ones are those of other systems.
const COLUMNS: [(Column, &[&str]); 6] = [
    (Column::Name, &["username", "name"]),
    (Column::Password, &["password"]),
    (Column::Hash, &["password_hash", "hashed_password"]),
    (Column::Email, &["email"]),
    (Column::Role, &["role"]),
    (Column::Active, &["active", "is_active"]),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Name,
    Password,
    Hash,
    Email,
    Role,
    Active,
}

/// A line that makes sense; its password is still to be hashed.
struct Row {
    line: u64,
    name: String,
    password: Option<Zeroizing<String>>,
    change: UserChange,
}

/// Reads a file, or standard input for `-`. Passwords in plain text are hashed.
///
/// # Errors
/// Every mistake, with its line.
pub(super) fn read(path: &Path) -> Result<Vec<(String, UserChange)>, Failure> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = Zeroizing::new(Vec::new());
    let read = match is_stdin {
        true => std::io::stdin().take(LONGEST + 1).read_to_end(&mut text),
        false => File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text)),
    };
    read.map_err(|error| Failure::Unusable(format!("cannot read {shown}: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::Unusable(format!("{shown} is larger than {LONGEST} bytes")));
    }
    let said = |mistakes: Vec<Mistake>| {
        let more = mistakes.len().saturating_sub(TOLD);
        let told = mistakes.iter().take(TOLD);
        let mut lines: Vec<_> =
            told.map(|mistake| format!("{shown}:{}: {}", mistake.line, mistake.what)).collect();
        if more > 0 {
            lines.push(format!("{shown}: and {more} more mistakes"));
        }
        Failure::Unusable(lines.join("\n"))
    };
    hash_all(rows(&text).map_err(said)?)?.map_err(said)
}

/// Something wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    line: u64,
    what: String,
}

fn mistake(line: u64, what: impl std::fmt::Display) -> Mistake {
    Mistake { line, what: what.to_string() }
}

fn rows(text: &[u8]) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(text);
    let header = reader.headers().map_err(|error| vec![unreadable(&error)])?;
    let columns = columns(header).map_err(|what| vec![mistake(1, what)])?;
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    let mut seen = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                mistakes.push(unreadable(&error));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match row(line, &columns, &record) {
            Err(what) => mistakes.push(mistake(line, what)),
            Ok(row) => match seen.insert(row.name.clone(), line) {
                Some(first) => {
                    let name = &row.name;
                    mistakes
                        .push(mistake(line, format!("{name:?} stands in line {first} already")));
                }
                None => rows.push(row),
            },
        }
    }
    if rows.len() > MAX_USERS {
        mistakes.push(mistake(0, format!("there can be {MAX_USERS} users, these are more")));
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn columns(header: &StringRecord) -> Result<BTreeMap<Column, usize>, String> {
    let mut columns = BTreeMap::new();
    for (at, name) in header.iter().enumerate() {
        let known =
            COLUMNS.iter().find(|(_, names)| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
        let Some((column, _)) = known else {
            return Err(format!(
                "there is no column {:?}; the first line names username, password or \
                 password_hash, email, role, active",
                name.chars().take(40).collect::<String>()
            ));
        };
        if columns.insert(*column, at).is_some() {
            return Err(format!("the column {name:?} stands twice"));
        }
    }
    if !columns.contains_key(&Column::Name) {
        return Err("the column username is missing".to_owned());
    }
    Ok(columns)
}

fn row(line: u64, columns: &BTreeMap<Column, usize>, record: &StringRecord) -> Result<Row, String> {
    let raw = |column| columns.get(&column).and_then(|at| record.get(*at));
    let cell = |column| raw(column).map(str::trim);
    let filled = |column| cell(column).filter(|text| !text.is_empty());
    let name = user_name(cell(Column::Name).unwrap_or_default()).map_err(|why| why.to_string())?;
    // Spaces belong to a password, but not to a hash.
    let password = raw(Column::Password).filter(|text| !text.is_empty());
    let hash = filled(Column::Hash).map(|text| PasswordHash::try_from(text.to_owned()));
    let hash = hash.transpose().map_err(|why| why.to_string())?;
    if password.is_some() && hash.is_some() {
        return Err("there is a password and a password_hash; leave one".to_owned());
    }
    let email = cell(Column::Email).map(str::to_owned);
    if let Some(email) = &email {
        super::super::desk::checked_email(email)?;
    }
    let change = UserChange {
        password: hash,
        role: filled(Column::Role).map(role).transpose()?,
        email,
        active: filled(Column::Active).map(truth).transpose()?,
    };
    let password = password.map(|text| Zeroizing::new(text.to_owned()));
    Ok(Row { line, name, password, change })
}

fn role(text: &str) -> Result<UserRole, String> {
    let known = UserRole::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(text));
    known.ok_or_else(|| "the role is user or admin".to_owned())
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("active is true or false".to_owned()),
    }
}

/// Only the place and the kind: the text around it may hold passwords.
fn unreadable(error: &csv::Error) -> Mistake {
    let line = error.position().map_or(1, csv::Position::line);
    mistake(
        line,
        match error.kind() {
            csv::ErrorKind::Utf8 { .. } => "this is not UTF-8".to_owned(),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the line has {len} fields, the header {expected_len}")
            }
            _ => "this is no CSV".to_owned(),
        },
    )
}

type Hashed = Result<Vec<(String, UserChange)>, Vec<Mistake>>;

/// Hashes what is in plain text, on every core: ten thousand take minutes.
fn hash_all(rows: Vec<Row>) -> Result<Hashed, Failure> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut salted = Vec::with_capacity(rows.len());
    for row in rows {
        salted.push((row, random()?));
    }
    let share = salted.len().div_ceil(cores).max(1);
    let (mut people, mut mistakes) = (Vec::with_capacity(salted.len()), Vec::new());
    thread::scope(|scope| {
        let hash_share = |share: &[(Row, _)]| share.iter().map(hashed).collect::<Vec<_>>();
        let shares: Vec<_> =
            salted.chunks(share).map(|share| scope.spawn(move || hash_share(share))).collect();
        for share in shares {
            for outcome in share.join().expect("hashing does not panic") {
                match outcome {
                    Ok(person) => people.push(person),
                    Err(mistake) => mistakes.push(mistake),
                }
            }
        }
    });
    Ok(if mistakes.is_empty() { Ok(people) } else { Err(mistakes) })
}

fn hashed((row, salt): &(Row, [u8; 16])) -> Result<(String, UserChange), Mistake> {
    let mut change = row.change.clone();
    if let Some(password) = &row.password {
        let hash = PasswordHash::new(password, *salt).map_err(|why| mistake(row.line, why))?;
        change.password = Some(hash);
    }
    Ok((row.name.clone(), change))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";

    fn mistakes(text: &str) -> Vec<(u64, String)> {
        let found = rows(text.as_bytes()).err().unwrap_or_default();
        found.into_iter().map(|mistake| (mistake.line, mistake.what)).collect()
    }

    fn good(text: &str) -> Vec<(String, UserChange)> {
        let rows = rows(text.as_bytes()).expect("no mistake in it");
        hash_all(rows).expect("random numbers").expect("good passwords")
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = format!(
            "\u{feff}Role, email ,Username,hashed_password,is_active\r\n\
             admin,\"a,b\"@example.org,Alice,{BCRYPT},yes\n,,bob,{BCRYPT},\n"
        );
        let text = text.replace("\"a,b\"@example.org", "a@example.org");
        let people = good(&text);
        assert_eq!(people[0].0, "alice");
        assert_eq!(people[0].1.role, Some(UserRole::Admin));
        assert_eq!(people[0].1.email.as_deref(), Some("a@example.org"));
        assert_eq!(people[0].1.active, Some(true));
        assert_eq!((people[1].1.role, people[1].1.active), (None, None));
    }

    #[test]
    fn plain_passwords_are_hashed_with_their_spaces() {
        let people = good("username,password\nalice,\" with spaces \"\n");
        let hash = people[0].1.password.clone().expect("a hash");
        assert!(hash.verify(" with spaces ") && !hash.verify("with spaces"));
    }

    #[test]
    fn every_mistake_is_said_with_its_line() {
        let text = format!(
            "username,password,password_hash,role,active\n\
             a b,longenough,,,\nbob,longenough,{BCRYPT},,\ncarol,,plain,,\n\
             dave,longenough,,king,\nerin,longenough,,,maybe\nfred,x\n\
             gina,longenough,,,\nGINA,longenough,,,\n"
        );
        let lines: Vec<_> = mistakes(&text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 9]);
        let said = mistakes(&text).into_iter().map(|(_, what)| what).collect::<String>();
        assert!(!said.contains("longenough") && !said.contains("plain"), "{said}");
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        assert_eq!(mistakes("alice,secret99\n").len(), 1);
        assert!(mistakes("password\nx\n")[0].1.contains("username is missing"));
        assert!(mistakes("username,name\n")[0].1.contains("twice"));
        assert_eq!(mistakes("")[0].0, 1);
    }

    #[test]
    fn a_weak_password_is_a_mistake_of_its_line() {
        let rows = rows(b"username,password\nalice,longenough\nbob,short\n").expect("rows");
        let mistakes = hash_all(rows).expect("random numbers").unwrap_err();
        assert_eq!(mistakes[0].line, 3);
    }
}

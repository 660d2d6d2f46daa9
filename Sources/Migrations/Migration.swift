/// One step of a schema: numbered, never changed once released, never taken back.
package struct Migration: Hashable, Sendable {
    /// Place in the order, from 1, without gaps.
    package var number: Int
    /// Short and stable, e.g. `accounts-and-sessions`; part of the checksum.
    package var name: String
    /// One or more SQL statements. They run in one transaction, so no BEGIN, COMMIT or PRAGMA that refuses to run in one.
    package var sql: String

    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// 64-bit FNV-1a of name and text, 16 hexadecimal digits. It finds an edited migration, it does not resist an attacker:
    /// whoever may write the database may write this column too.
    package var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        name.utf8.forEach(add)
        add(0)
        sql.utf8.forEach(add)
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Why a database could not be brought up to date. It is left as it was before the migration that failed.
package enum MigrationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The plan itself is wrong (numbers not 1, 2, 3 …): a mistake in the program.
    case malformedPlan(String)
    /// The database was written by a newer program. Run that one, or restore a backup.
    case newerDatabase(found: Int, known: Int)
    /// An applied migration is not the one this program knows under that number.
    case altered(number: Int, name: String)
    /// A migration did not run; everything of it was rolled back.
    case failed(number: Int, name: String, reason: String)
    /// The database could not be read or locked (not a database, no permission, busy beyond its timeout).
    case unusable(reason: String)

    package var description: String {
        switch self {
        case .malformedPlan(let reason):
            "the list of migrations is wrong: \(reason)"
        case .newerDatabase(let found, let known):
            "the database is at schema \(found), this program knows schema \(known): "
                + "start the newer program, or restore a backup made before it ran"
        case .altered(let number, let name):
            "migration \(number) (\(name)) is not the one that was applied to this database: "
                + "start the program that created it, or restore a backup"
        case .failed(let number, let name, let reason):
            "migration \(number) (\(name)) failed and was rolled back: \(reason)"
        case .unusable(let reason):
            "the database cannot be used: \(reason)"
        }
    }
}

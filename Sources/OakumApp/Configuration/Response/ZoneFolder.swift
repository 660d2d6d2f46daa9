import Paging
import StrictYAML

/// Why a time zone cannot be had.
package struct ZoneProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var hint: String?

    package var description: String { message + (hint.map { "; \($0)" } ?? "") }
}

/// The zone files of the system.
struct ZoneFolder {
    let path: String
    private var read: [String: ZoneRules] = ["UTC": .utc]

    init(path: String = "/usr/share/zoneinfo") {
        self.path = path
    }

    /// The zone that a value names.
    mutating func rules(_ value: YAMLValue) throws(YAMLProblem) -> ZoneRules {
        let name = try value.string()
        do throws(ZoneProblem) {
            return try rules(named: name)
        } catch {
            throw value.problem(error.message, hint: error.hint)
        }
    }

    /// The zone of that name in the tz database.
    mutating func rules(named name: String) throws(ZoneProblem) -> ZoneRules {
        let hint = "a name of the tz database, such as Europe/Vienna"
        guard ZoneRules.isName(name) else {
            throw ZoneProblem(message: "`\(name)` cannot be a time zone", hint: hint)
        }
        if let zone = read[name] { return zone }
        let file: SmallFile
        do throws(SmallFile.Problem) {
            file = try SmallFile.read("\(path)/\(name)", limit: ZoneRules.longestFile)
        } catch {
            throw ZoneProblem(
                message: "there is no time zone `\(name)`", hint: hint + "; without tzdata there is only UTC")
        }
        do throws(ZoneFileError) {
            let zone = try ZoneRules(name: name, file: file.bytes)
            read[name] = zone
            return zone
        } catch {
            throw ZoneProblem(message: "the time zone `\(name)` cannot be used: \(error)", hint: nil)
        }
    }
}

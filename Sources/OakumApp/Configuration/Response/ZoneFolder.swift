package import Paging
import StrictYAML

/// Why there is no such time zone, in words.
package struct ZoneProblem: Error, Hashable, Sendable {
    package var words: String
}

/// The zone files of the system.
package struct ZoneFolder: Sendable {
    let path: String
    private var known: [String: ZoneRules] = ["UTC": .utc]

    package init(path: String = "/usr/share/zoneinfo") {
        self.path = path
    }

    /// The zone of a name; its file is read once.
    package mutating func rules(named name: String) throws(ZoneProblem) -> ZoneRules {
        guard ZoneRules.isName(name) else { throw ZoneProblem(words: "`\(name)` cannot be a time zone") }
        if let zone = known[name] { return zone }
        guard let zone = try Self.rules(name: name, path: "\(path)/\(name)") else {
            throw ZoneProblem(words: "there is no time zone `\(name)`")
        }
        known[name] = zone
        return zone
    }

    /// The zone whose time the clock of this machine shows: what `TZ` names, else `/etc/localtime`, else UTC.
    package mutating func host(environment: [String: String]) throws(ZoneProblem) -> ZoneRules {
        if let name = environment["TZ"], !name.isEmpty {
            return try rules(named: String(name.drop { $0 == ":" }))
        }
        return try Self.rules(name: "local", path: "/etc/localtime") ?? .utc
    }

    /// The zone that a value names.
    mutating func rules(_ value: YAMLValue) throws(YAMLProblem) -> ZoneRules {
        let name = try value.string()
        do throws(ZoneProblem) {
            return try rules(named: name)
        } catch {
            throw value.problem(
                error.words, hint: "a name of the tz database, such as Europe/Vienna; without tzdata there is only UTC")
        }
    }

    /// nil: there is no such file.
    private static func rules(name: String, path: String) throws(ZoneProblem) -> ZoneRules? {
        let file: SmallFile
        do throws(SmallFile.Problem) {
            file = try SmallFile.read(path, limit: ZoneRules.longestFile)
        } catch {
            switch error {
            case .missing, .notAFile: return nil
            case .tooLarge: throw ZoneProblem(words: "\(path) is too large for a time zone")
            case .unreadable(let words): throw ZoneProblem(words: "\(path) cannot be read: \(words)")
            }
        }
        do throws(ZoneFileError) {
            return try ZoneRules(name: name, file: file.bytes)
        } catch {
            throw ZoneProblem(words: "the time zone `\(name)` cannot be used: \(error)")
        }
    }
}

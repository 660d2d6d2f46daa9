import Paging
import StrictYAML

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
        let hint = "a name of the tz database, such as Europe/Vienna"
        guard ZoneRules.isName(name) else { throw value.problem("`\(name)` cannot be a time zone", hint: hint) }
        if let zone = read[name] { return zone }
        let file: SmallFile
        do throws(SmallFile.Problem) {
            file = try SmallFile.read("\(path)/\(name)", limit: ZoneRules.longestFile)
        } catch {
            throw value.problem("there is no time zone `\(name)`", hint: hint + "; without tzdata there is only UTC")
        }
        do throws(ZoneFileError) {
            let zone = try ZoneRules(name: name, file: file.bytes)
            read[name] = zone
            return zone
        } catch {
            throw value.problem("the time zone `\(name)` cannot be used: \(error)")
        }
    }
}

import Foundation
import OakumModel
import Paging
package import Postmortem

extension DocumentZone {
    /// A zone of the system's tz database.
    package static func named(_ name: String) throws(ZoneProblem) -> DocumentZone {
        var folder = ZoneFolder()
        return DocumentZone(try folder.rules(named: name))
    }

    /// The zone of this machine's clock on the wall: `TZ`, else `/etc/localtime`; UTC where neither can be read.
    package static func ofThisMachine() -> DocumentZone {
        guard let name = machineName() else { return .utc }
        do throws(ZoneProblem) {
            return try named(name)
        } catch {
            // Nobody asked for that zone, and the document says which one it uses.
            return .utc
        }
    }

    private static func machineName() -> String? {
        if let name = ProcessInfo.processInfo.environment["TZ"], !name.isEmpty {
            return name.hasPrefix(":") ? String(name.dropFirst()) : name
        }
        let file = URL(filePath: "/etc/localtime").resolvingSymlinksInPath().path
        return file.range(of: "/zoneinfo/").map { String(file[$0.upperBound...]) }
    }

    init(_ rules: ZoneRules) {
        self.init(name: rules.name) { at in
            let seconds = Int64((Double(at.milliseconds) / 1_000).rounded(.down))
            let period = rules.period(at: seconds)
            // "+0545" is no name.
            let isName = period.abbreviation.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
            return ZoneOffset(
                seconds: Int(period.offsetSeconds), abbreviation: isName ? period.abbreviation : nil)
        }
    }
}

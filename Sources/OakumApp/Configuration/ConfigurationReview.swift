import Incidents
import Notify
package import OakumModel
package import Paging
import StrictYAML

/// What `oakum config check` says of a configuration. Field names are shown as JSON: added to, never renamed.
package struct ConfigurationReview: Hashable, Sendable, Codable {
    package var file: String
    /// It can be used. Warnings and gaps do not keep it from that.
    package var isUsable: Bool
    /// Why it cannot be used.
    package var problem: Remark?
    package var warnings: [Remark]
    package var services: [Service]
    package var channels: [Channel]
    package var onCall: [OnCall]
    /// Of the week from now on: nobody on call, conflicts.
    package var gaps: [Gap]

    package struct Remark: Hashable, Sendable, Codable {
        /// From 1; 0: of the file as a whole.
        package var line: Int
        package var message: String
        package var hint: String?

        init(_ problem: YAMLProblem) {
            line = problem.line
            message = problem.message
            hint = problem.hint
        }

        /// As `YAMLProblem` is told.
        package var words: String { "\(YAMLProblem(line: line, message: message, hint: hint))" }
    }

    package struct Service: Hashable, Sendable, Codable {
        package var name: String
        /// nil: nobody is paged; see `pagesNobody`.
        package var policy: String?
        package var runbook: String?
        /// `policy: none`: incidents are opened, and nobody is paged for them.
        package var pagesNobody: Bool

        private enum CodingKeys: String, CodingKey {
            case name, policy, runbook
            case pagesNobody = "pages_nobody"
        }
    }

    package struct Channel: Hashable, Sendable, Codable {
        package var name: String
        /// "smtp", "file", …
        package var kind: String
    }

    /// See `PagingProblem`.
    package struct Gap: Hashable, Sendable, Codable {
        /// "gap", "override_conflict", …
        package var kind: String
        /// "schedule primary".
        package var subject: String
        package var words: String
    }

    package struct OnCall: Hashable, Sendable, Codable {
        package var schedule: String
        package var people: [String]
        package var until: WallTime?
        package var next: [String]
        /// "ada until Mon 2026-01-12 09:00 CET, then ben".
        package var words: String

        private enum CodingKeys: String, CodingKey {
            case schedule, people, next, words
            case until = "until_ms"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case file, problem, warnings, services, channels, gaps
        case isUsable = "usable"
        case onCall = "on_call"
    }
}

extension ConfigurationReview {
    /// Reads a file and looks at the week from `now` on.
    package static func of(_ file: String, at now: WallTime) -> ConfigurationReview {
        var review = ConfigurationReview(
            file: file, isUsable: false, warnings: [], services: [], channels: [], onCall: [], gaps: [])
        do throws(ConfigurationError) {
            review.fill(try ConfigurationFile.load(file), at: now)
        } catch {
            review.problem = Remark(error.problem)
        }
        return review
    }

    private mutating func fill(_ configuration: OakumConfiguration, at now: WallTime) {
        isUsable = true
        let response = configuration.response
        warnings = response.warnings.map(Remark.init)
        services = configuration.services.map {
            Service(
                name: $0.name, policy: $0.paging.policy, runbook: $0.paging.runbook,
                pagesNobody: $0.paging.pagesNobody)
        }
        channels = response.channels(state: configuration.state).map { Channel(name: $0.name, kind: $0.kindWord) }
        onCall = response.plan.schedules.map { OnCall($0, at: now) }
        let inAWeek = WallTime(milliseconds: now.milliseconds + 604_800_000)
        // People without contacts are warned of with their line.
        gaps = response.plan.problems(at: now, until: inAWeek).filter { $0.kind != .noContact }
            .map { Gap(kind: $0.kind.rawValue, subject: $0.subject, words: $0.words) }
    }
}

extension ConfigurationReview.OnCall {
    /// Who is on call now, and what comes next.
    package init(_ schedule: Schedule, at now: WallTime) {
        let (shift, next) = schedule.shift(at: now)
        func names(_ people: [String]) -> String { people.isEmpty ? "nobody" : people.joined(separator: " and ") }
        self.schedule = schedule.name
        people = shift.people
        until = shift.until
        self.next = next
        words = names(shift.people)
        if let until = shift.until { words += " until \(schedule.zone.dayAndTime(at: until)), then \(names(next))" }
    }
}

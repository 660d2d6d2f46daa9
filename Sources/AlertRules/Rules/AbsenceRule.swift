package import OakumModel

/// Series that were there and are gone: by name, with how long they have been asked for in vain.
///
/// Only time in which somebody asked counts, so that a pause of Oakum, a suspended machine or a slow reading is no absence of
/// a worker. At most `capacity` series: further ones are not watched.
package struct AbsenceRule: Sendable {
    package enum Answer: Hashable, Sendable {
        case told
        case missing
        case notAsked
    }

    private struct Series: Sendable {
        var silentFor = 0.0
        var since: Moment?
        var lastAsked: Uptime
        /// Told again for how long.
        var toldFor = 0.0
    }

    package static let capacity = 256
    /// Between two readings no more than this counts as silence, seconds.
    private static let longestStep = 10.0

    package let settings: AbsenceSettings
    private var series: [String: Series] = [:]

    package init(_ settings: AbsenceSettings) {
        self.settings = settings
    }

    /// It was told in earlier times, as a store knows: so it is missed from the beginning.
    package mutating func know(_ name: String, at now: Uptime) {
        guard series[name] == nil, series.count < Self.capacity else { return }
        series[name] = Series(lastAsked: now)
    }

    package mutating func note(_ name: String, _ answer: Answer, at now: Moment) {
        guard answer != .notAsked else { return }
        guard var known = series[name] else {
            if answer == .told { know(name, at: now.uptime) }
            return
        }
        let step = min(Self.longestStep, max(0, now.uptime - known.lastAsked))
        known.lastAsked = now.uptime
        if answer == .told {
            known.silentFor = 0
            known.since = nil
        } else {
            known.silentFor += step
            known.since = known.since ?? now
        }
        series[name] = known.silentFor > settings.forgetSeconds ? nil : known
    }

    /// What it is about is gone for good: a worker's process, say.
    package mutating func forget(_ isGone: (String) -> Bool) {
        for name in series.keys where isGone(name) { series[name] = nil }
    }

    package var condition: Condition {
        guard !series.isEmpty else { return .low }
        if series.values.contains(where: { $0.silentFor >= settings.afterSeconds }) { return .high(settings.severity) }
        return series.values.contains { $0.silentFor > 0 } ? .between : .low
    }

    /// Sorted by name, with since when.
    package var missing: [(name: String, since: Moment, seconds: Double)] {
        series.compactMap { name, known in
            guard known.silentFor >= settings.afterSeconds, let since = known.since else { return nil }
            return (name, since, known.silentFor)
        }
        .sorted { $0.name < $1.name }
    }

    func text(service: String?, over: Bool) -> AlertText {
        let subject = service.map { "\($0): " } ?? ""
        if over { return AlertText("\(subject)everything is measured again") }
        let missing = missing
        let first = missing.first?.name ?? "something"
        let more = missing.count > 1 ? " and \(missing.count - 1) more" : ""
        return AlertText(
            "\(subject)not measured any more: \(first)\(more)",
            details: missing.prefix(20).map { "\($0.name): asked in vain for \(Words.seconds($0.seconds))" },
            labels: ["missing": missing.prefix(8).map(\.name).joined(separator: "; ")],
            since: missing.map(\.since).min { $0.uptime < $1.uptime })
    }
}

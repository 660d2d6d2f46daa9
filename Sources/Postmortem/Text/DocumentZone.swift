package import OakumModel

/// What a clock on the wall shows beside UTC at some instant.
package struct ZoneOffset: Hashable, Sendable {
    /// Positive to the east of Greenwich.
    package var seconds: Int
    /// "EST"; nil where people have no name for it.
    package var abbreviation: String?

    package init(seconds: Int, abbreviation: String? = nil) {
        self.seconds = seconds
        self.abbreviation = abbreviation
    }
}

/// A time zone. Its rules come from outside: nothing here knows the tables of the world's zones.
package struct DocumentZone: Sendable {
    /// "Europe/Vienna".
    package var name: String
    package var offset: @Sendable (WallTime) -> ZoneOffset

    package init(name: String, offset: @escaping @Sendable (WallTime) -> ZoneOffset) {
        self.name = name
        self.offset = offset
    }

    package static let utc = DocumentZone(name: "UTC") { _ in ZoneOffset(seconds: 0, abbreviation: "UTC") }
}

/// Writes the times of one document, all in one zone. Where the zone changes its offset between them, each says its own.
struct TimeWords: Sendable {
    private let zone: DocumentZone
    private let base: ZoneOffset
    private let isMixed: Bool
    private let spansDays: Bool

    /// - Parameter times: those the document is about; the first decides what the zone is called.
    init(_ zone: DocumentZone, times: [WallTime]) {
        self.zone = zone
        let offsets = times.map(zone.offset)
        base = offsets.first ?? zone.offset(WallTime(milliseconds: 0))
        isMixed = Set(offsets).count > 1
        spansDays = Set(zip(times, offsets).map { CivilTime($0, offsetSeconds: $1.seconds).date }).count > 1
    }

    /// For the head of a column: "EST", "Europe/Vienna".
    var column: String { isMixed ? zone.name : base.abbreviation ?? zone.name }

    /// "EST (America/New_York, UTC−05:00)".
    var zoneSentence: String {
        if isMixed { return "\(zone.name), whose offset from UTC changes in between: each time says its own" }
        let offset = "UTC" + Self.offset(base.seconds)
        guard let short = base.abbreviation, short != zone.name else {
            return base.seconds == 0 && zone.name == "UTC" ? "UTC" : "\(zone.name) (\(offset))"
        }
        return "\(short) (\(zone.name), \(offset))"
    }

    /// For a row: "10:00:03", with the date where there is more than one, with the zone where that changes.
    func row(_ time: WallTime) -> String {
        let offset = zone.offset(time)
        let civil = CivilTime(time, offsetSeconds: offset.seconds)
        return (spansDays ? "\(civil.date) " : "") + civil.clock + (isMixed ? " \(short(offset))" : "")
    }

    /// For a sentence: "10:00:03 EST".
    func clock(_ time: WallTime) -> String {
        let offset = zone.offset(time)
        let civil = CivilTime(time, offsetSeconds: offset.seconds)
        return (spansDays ? "\(civil.date) " : "") + "\(civil.clock) \(short(offset))"
    }

    /// "2023-11-10".
    func date(_ time: WallTime) -> String {
        CivilTime(time, offsetSeconds: zone.offset(time).seconds).date
    }

    /// "2023-11-10 10:00:03 EST".
    func full(_ time: WallTime) -> String {
        let offset = zone.offset(time)
        let civil = CivilTime(time, offsetSeconds: offset.seconds)
        return "\(civil.date) \(civil.clock) \(short(offset))"
    }

    func civil(_ time: WallTime) -> CivilTime {
        CivilTime(time, offsetSeconds: zone.offset(time).seconds)
    }

    func offsetSeconds(_ time: WallTime) -> Int { zone.offset(time).seconds }

    private func short(_ offset: ZoneOffset) -> String {
        offset.abbreviation ?? "UTC" + Self.offset(offset.seconds)
    }

    /// "−05:00".
    private static func offset(_ seconds: Int) -> String {
        let minutes = abs(seconds) / 60
        return (seconds < 0 ? "−" : "+") + CivilTime.padded(minutes / 60, 2) + ":" + CivilTime.padded(minutes % 60, 2)
    }
}

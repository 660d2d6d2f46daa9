import AlertRules
import OakumModel
import Paging

extension OakumConfiguration {
    /// What the time zones that business metrics name add to UTC, and the host's own: whose day a rate is compared with.
    func businessZones(at now: WallTime) -> [String?: ZoneOffsets] {
        var folder = ZoneFolder()
        var zones: [String?: ZoneOffsets] = [:]
        for name in services.flatMap(\.alerts.business).compactMap(\.timeZone) where zones[name] == nil {
            // The configuration was read with these zones: one that has gone since counts as the host's.
            zones[name] = (try? folder.rules(named: name)).map { ZoneOffsets($0, around: now) }
        }
        return zones
    }
}

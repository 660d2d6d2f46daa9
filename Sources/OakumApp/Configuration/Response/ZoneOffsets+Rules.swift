package import AlertRules
package import OakumModel
package import Paging

extension ZoneOffsets {
    /// What a zone adds to UTC from a year before `now` on, as many changes as there is room for: some eleven years.
    package init(_ zone: ZoneRules, around now: WallTime) {
        let start = WallTime(milliseconds: now.milliseconds - 31_622_400_000)
        var changes = [Change(from: start, seconds: zone.offsetSeconds(at: start))]
        while changes.count < Self.limit, let last = changes.last, let next = zone.nextChange(after: last.from) {
            changes.append(Change(from: next, seconds: zone.offsetSeconds(at: next)))
        }
        self.init(changes)
    }
}

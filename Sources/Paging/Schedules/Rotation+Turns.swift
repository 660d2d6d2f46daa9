extension Rotation {
    /// Whose turn it is; nil: nobody's, because the rotation has not begun, is outside its windows or has no members.
    func member(at instant: Int64, zone: ZoneRules) -> String? {
        guard !members.isEmpty, let turn = turn(at: instant, zone: zone), isOpen(at: instant, zone: zone) else {
            return nil
        }
        return members[Int(turn % Int64(members.count))]
    }

    /// The first instant after this one at which the member may be another.
    func nextChange(after instant: Int64, zone: ZoneRules) -> Int64? {
        let turn = turn(at: instant, zone: zone)
        var next: Int64?
        if turn == nil || members.count > 1 { next = handover(toTurn: turn.map { $0 + 1 } ?? 0, zone: zone) }
        for edge in edges(near: instant, zone: zone) where edge > instant { next = min(next ?? edge, edge) }
        return next
    }

    /// Turns since the start, the first is 0; nil: not begun.
    private func turn(at instant: Int64, zone: ZoneRules) -> Int64? {
        guard instant >= zone.instant(of: start) else { return nil }
        // While an hour is gone through again, clocks show less than they have shown already: a turn that has ended does
        // not begin again.
        var turn = max(0, (zone.civil(at: instant).seconds - start.seconds).dividedDown(by: length))
        while handover(toTurn: turn + 1, zone: zone) <= instant { turn += 1 }
        return turn
    }

    private func handover(toTurn turn: Int64, zone: ZoneRules) -> Int64 {
        zone.instant(of: start + turn * length)
    }

    private var length: Int64 { max(3_600, turnSeconds) }

    private func isOpen(at instant: Int64, zone: ZoneRules) -> Bool {
        windows.isEmpty
            || openings(near: instant, zone: zone).contains { $0.from <= instant && instant < $0.until }
    }

    private func edges(near instant: Int64, zone: ZoneRules) -> [Int64] {
        openings(near: instant, zone: zone).flatMap { [$0.from, $0.until] }
    }

    /// The times of two days before to eight days after during which the rotation is in force.
    private func openings(near instant: Int64, zone: ZoneRules) -> [(from: Int64, until: Int64)] {
        guard !windows.isEmpty else { return [] }
        let today = zone.civil(at: instant).day.number
        var result: [(from: Int64, until: Int64)] = []
        for number in today - 2...today + 8 {
            let day = CivilDay(number: number)
            let midnight = CivilTime(seconds: number * 86_400)
            for window in windows where window.days.contains(day.weekday) {
                let overnight: Int64 = window.untilSecond <= window.fromSecond ? 86_400 : 0
                result.append(
                    (
                        zone.instant(of: midnight + window.fromSecond),
                        zone.instant(of: midnight + window.untilSecond + overnight)
                    ))
            }
        }
        return result
    }
}

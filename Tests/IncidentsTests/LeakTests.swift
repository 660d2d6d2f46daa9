import Incidents
import LeakTesting
import OakumModel
import OakumTestKit
import Testing

@Suite(.disabled(if: Sanitizer.isOn), .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `a book does not grow with incidents that are over`() {
        let desk = Desk()
        var book = desk.book
        var now = desk.now
        var number = 0
        func live() {
            number += 1
            var alert = desk.alert(.errorRate, "fingerprint \(number)")
            alert.since = now
            alert.at = now
            _ = book.handle(.alert(alert), at: now)
            alert.status = .resolved
            _ = book.handle(.alert(alert), at: now)
            for _ in 0..<8 {
                now = Moment(
                    uptime: now.uptime + 1_800, wall: WallTime(milliseconds: now.wall.milliseconds + 1_800_000))
                _ = book.handle(.tick, at: now)
            }
        }
        expectNoGrowth(calls: 20, warmUp: 500) { live() }
    }
}

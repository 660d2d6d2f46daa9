import LeakTesting
import Sessions
import Testing

struct FixedTests {
    @Test func `sessions leave nothing behind`() {
        let sessions = FixedSessions()
        expectNoGrowth { sessions.begin(user: "ada").end() }
    }

    @Test func `a session goes away`() {
        let sessions = FixedSessions()
        expectDeallocated { sessions.begin(user: "ada") }
    }

    @Test(.noGrowth) func `a whole test may be measured`() async {
        let sessions = FixedSessions()
        await Task { FixedSessions().begin(user: "grace").end() }.value
        #expect(sessions.open == 0)
    }
}

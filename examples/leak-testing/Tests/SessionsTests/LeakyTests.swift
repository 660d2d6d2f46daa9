import LeakTesting
import Sessions
import Testing

/// These fail, and say where the memory is: that is what they are here for.
struct LeakyTests {
    @Test func `sessions leave nothing behind`() {
        let sessions = LeakySessions()
        expectNoGrowth { sessions.begin(user: "ada").end() }
    }

    @Test func `a session goes away`() {
        let sessions = LeakySessions()
        expectDeallocated { sessions.begin(user: "ada") }
    }
}

import LeakTestingXCTest
import Sessions
import XCTest

final class FixedXCTests: XCTestCase {
    func testSessionsLeaveNothingBehind() throws {
        let sessions = FixedSessions()
        try XCTAssertNoGrowth { sessions.begin(user: "ada").end() }
        XCTAssertDeallocated { sessions.begin(user: "ada") }
    }
}

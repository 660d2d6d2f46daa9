import DurableOutbox
import Glibc
import OakumTestKit
import Testing

/// The waypoints: silent by themselves, obedient to a harness, refusing anything else.
@Suite(.timeLimit(.minutes(2)))
struct WaypointTests {
    private func withPair<Result>(_ body: (Int32, Int32) throws -> Result) throws -> Result {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw TestKitError("no socket pair") }
        defer { for end in ends { close(end) } }
        return try body(ends[0], ends[1])
    }

    @Test func `a waypoint tells its label and goes on when it is answered`() throws {
        try withPair { ours, theirs in
            // The answers lie ready, so that nothing has to run beside this.
            #expect(write(theirs, "...", 3) == 3)
            let waypoints = try Waypoints.described(by: "\(ours),\(ours)")
            for waypoint in [Waypoint.accept, .bytesSent, .record] { waypoints.reached(waypoint) }
            var buffer = [UInt8](repeating: 0, count: 100)
            let count = read(theirs, &buffer, buffer.count)
            #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "accept\nbytes_sent\nrecord\n")
        }
    }

    @Test func `when the harness has gone, waypoints cost nothing and say nothing`() throws {
        try withPair { ours, theirs in
            let waypoints = Waypoints.pipe(input: ours, output: ours)
            shutdown(theirs, Int32(SHUT_WR))
            waypoints.reached(.accept)
            waypoints.reached(.claim)
            var buffer = [UInt8](repeating: 0, count: 100)
            #expect(read(theirs, &buffer, buffer.count) == 7)
        }
    }

    @Test func `without the variable nothing happens`() throws {
        try Waypoints.described(by: nil).reached(.accept)
    }

    @Test(arguments: [
        "", "300", "300,", "a,b", "0,1", "9999,9998", "300,400,500", "-1,-1", " 300,400", "99999999999999,3",
    ])
    func `anything but two open descriptors is refused with its text`(text: String) {
        let failure = #expect(throws: OutboxError.self) { try Waypoints.described(by: text) }
        #expect(failure?.description.contains("\"\(text)\"") == true)
    }

    @Test func `the labels are those of the kill matrix`() {
        #expect(
            Waypoint.allCases.map(\.rawValue) == [
                "accept", "enqueue", "fsync", "claim", "connect", "bytes_sent", "response_read", "record",
                "acknowledge",
            ])
    }
}

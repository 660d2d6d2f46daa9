import LeakTesting
import OakumTestKit
import ServiceHandover
import Testing

/// A service must not grow with its clients, nor with how they behave. Event loops do the work: the process is measured.
@Suite(.disabled(if: Sanitizer.isOn), .serialized, .timeLimit(.minutes(5)))
struct LeakTests {
    @Test func `connections leave nothing behind, of rude clients neither`() async throws {
        try await withService { service in
            let (http, admin) = (service.http, service.admin)
            try await expectNoGrowth(of: .process, calls: 8, warmUp: 16) {
                let statuses = try await blocking {
                    let client = try PlainClient(http)
                    var statuses = [try client.get("/hello").status, try client.get("/stream").status]
                    try client.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
                    statuses.append(try client.answer().status)
                    statuses.append(try client.get("/fail").status)
                    // One that speaks no HTTP, one that goes before its answer, and one that never says a word.
                    let rude = try PlainClient(http)
                    try rude.send("hello?\r\n\r\n")
                    _ = try rude.toTheEnd()
                    try PlainClient(http).send("GET /big HTTP/1.1\r\nHost: test\r\n\r\n")
                    _ = try PlainClient(http)
                    statuses.append(try PlainClient(admin).get("/metrics", headers: "Connection: close\r\n").status)
                    return statuses
                }
                #expect(statuses == [200, 200, 200, 500, 200])
            }
        }
    }

    @Test func `a service that was drained goes away with all it held`() async throws {
        try await expectNoGrowth(of: .process, calls: 4, warmUp: 8) {
            // A sleep that was cancelled keeps its timer until its time is over: the one of the drain's deadline too.
            try await withService(configure: { $0.drainDeadline = .milliseconds(100) }) { service in
                let status = try await blocking { [http = service.http] in
                    try PlainClient(http).get("/hello", headers: "Connection: close\r\n").status
                }
                #expect(status == 200)
            }
        }
    }
}

import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import ServiceLifecycle
import Testing

extension RunningServers {
    @Suite(.timeLimit(.minutes(10)))
    struct EventStreamTests {
        private func open(_ console: Console, _ query: String = "", lastEventID: Int? = nil) throws -> RawConnection {
            let connection = try RawConnection(port: console.port)
            let header = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            connection.send("GET /api/v1/stream\(query) HTTP/1.1\r\nHost: localhost\r\n\(header)\r\n")
            return connection
        }

        private func eventNumbers(_ text: String) -> [Int] {
            text.split(whereSeparator: \.isNewline).compactMap { $0.hasPrefix("id: ") ? Int($0.dropFirst(4)) : nil }
        }

        @Test func `overviews come again and again, events as they happen`() async throws {
            let fake = FakeControlPlane()
            try await withConsole(fake, interval: .milliseconds(10)) { console, _ in
                let stream = try open(console)
                let start = try await stream.read(through: "event: overview\n", times: 3)
                #expect(start.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(start.contains("text/event-stream"))
                #expect(start.contains(#"data: {"#))
                #expect(!start.contains("event: event\n"))
                fake.change { $0.events.append(Samples.event(3, .recycleStarted, 50, "registrar/7 is replaced")) }
                let later = try await stream.read(through: "is replaced")
                #expect(later.contains("id: 3\nevent: event\ndata: {"))
            }
        }

        @Test func `a reader who was away gets what it missed, once and in order`() async throws {
            let fake = FakeControlPlane()
            fake.change { state in state.events = (1...450).map { Samples.event($0, .verdict, 1, "number \($0)") } }
            try await withConsole(fake, interval: .milliseconds(10)) { console, _ in
                let byQuery = try open(console, "?after=0")
                let byHeader = try open(console, "?after=1", lastEventID: 445)
                let few = try await byHeader.read(through: "number 450")
                #expect(eventNumbers(few) == Array(446...450))
                fake.change { $0.events.append(Samples.event(451, .verdict, 1, "number 451")) }
                let all = try await byQuery.read(through: "number 451")
                #expect(eventNumbers(all) == Array(1...451))
            }
        }

        @Test func `too much missed means starting afresh`() async throws {
            let fake = FakeControlPlane()
            fake.change { state in state.events = (1...2000).map { Samples.event($0, .verdict, 1, "n") } }
            // Much faster than a reader that is far behind can take pieces: it must not be taken for one that hangs.
            try await withConsole(fake, interval: .microseconds(100)) { console, _ in
                let text = try await open(console, "?after=1").read(through: "event: resync")
                #expect(eventNumbers(text).count == 1000)
            }
        }

        @Test func `trouble is told, and the stream goes on`() async throws {
            let fake = FakeControlPlane()
            try await withConsole(fake, interval: .milliseconds(10)) { console, _ in
                let stream = try open(console)
                _ = try await stream.read(through: "event: overview")
                fake.change { $0.failure = .failed("journal broken") }
                let trouble = try await stream.read(through: "event: trouble")
                #expect(trouble.contains("journal broken"))
                fake.change { $0.failure = nil }
                _ = try await stream.read(through: "event: overview")
            }
        }

        @Test func `with nobody watching, nothing is asked`() async throws {
            let fake = FakeControlPlane()
            try await withConsole(fake, interval: .milliseconds(1)) { console, _ in
                #expect(fake.overviewCalls == 0)
                var stream: RawConnection? = try open(console)
                _ = try await stream?.read(through: "event: overview\n", times: 2)
                stream = nil
                var before = -1
                try await eventually("the asking ends") {
                    defer { before = fake.overviewCalls }
                    return fake.overviewCalls == before
                }
                // And begins again.
                _ = try await open(console).read(through: "event: overview")
            }
        }

        @Test func `streams beyond the limit are refused, and the place of one who left is free`() async throws {
            try await withConsole(FakeControlPlane(), interval: .milliseconds(10), maxStreams: 2) { console, _ in
                let first = try open(console)
                var second: RawConnection? = try open(console)
                _ = try await first.read(through: "event: overview")
                _ = try await second?.read(through: "event: overview")
                let refused = try await open(console).read(through: "too_many_clients")
                #expect(refused.hasPrefix("HTTP/1.1 503 "))
                #expect(refused.contains("Retry-After: 5"))
                second = nil
                try await eventually("a place is free") {
                    try await open(console).read(through: "\r\n\r\n")
                        .hasPrefix("HTTP/1.1 200 ")
                }
            }
        }

        @Test func `a reader who does not read is disconnected`() async throws {
            let fake = FakeControlPlane()
            fake.change { state in
                let problem = String(repeating: "x", count: 60_000)
                state.overview.oakum.problems = [problem]
            }
            try await withConsole(fake, interval: .milliseconds(2), maxStreams: 1) { console, _ in
                let slow = try open(console)
                _ = try await slow.read(through: "event: overview")
                try await eventually("its place is free again") {
                    try await open(console).read(through: "\r\n\r\n")
                        .hasPrefix("HTTP/1.1 200 ")
                }
                _ = try await slow.readToEnd()
            }
        }

        @Test func `a graceful end ends open streams`() async throws {
            try await withConsole(FakeControlPlane(), interval: .milliseconds(10)) { console, group in
                let stream = try open(console)
                _ = try await stream.read(through: "event: overview")
                let idle = try RawConnection(port: console.port)
                await group.triggerGracefulShutdown()
                let rest = try await stream.readToEnd()
                #expect(rest.hasSuffix("0\r\n\r\n"))
                _ = try await idle.readToEnd()
            }
        }
    }
}

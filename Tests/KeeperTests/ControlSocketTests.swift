import CLinux
import Glibc
import KeeperProtocol
import OakumTestKit
import Spawning
import Testing

/// Clients that come, go, lie, and do not listen.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ControlSocketTests {
    @Test func `workers outlive the client, and the next one takes them over`() async throws {
        try await withKeeper { keeper in
            var first: TestClient? = try await keeper.client()
            try await first?.apply([try keeper.service(["ready"], workers: [1, 2])])
            _ = try await first?.ready()
            _ = try await first?.ready()
            let before = try #require(try await first?.inspect())
            try first?.send(.inspect)  // an answer that nobody will read
            first = nil
            let second = try await keeper.client()
            #expect(try await second.inspect() == before)
            #expect(before.workers.allSatisfy { lives($0.process.pid) })
            try await second.apply([try keeper.service(["ready"], workers: [2])])
            #expect(try await second.exited().status == .code(0))
        }
    }

    @Test func `a client killed with SIGKILL is not even noticed by the workers`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            let worker = try await client.ready()
            let socket = "\(keeper.folder)/keeper.sock"
            try await withProcess(try builtExecutable("fixture-worker"), ["client", socket]) { other in
                _ = try await other.line(containing: "greeted")
                other.send(SIGKILL)
                _ = try await other.waitForExit()
            }
            #expect(try await client.inspect().workers.map(\.process) == [worker])
            #expect(lives(worker.pid))
        }
    }

    @Test func `every client hears of everything`() async throws {
        try await withKeeper { keeper in
            let one = try await keeper.client()
            let two = try await keeper.client()
            try await one.apply([try keeper.service(["ready"])])
            #expect(try await one.ready() == (try await two.ready()))
        }
    }

    @Test func `an order below the standing one is refused`() async throws {
        try await withKeeper { keeper in
            let one = try await keeper.client()
            let two = try await keeper.client()
            try await one.apply([try keeper.service(["ready"])])
            try await one.apply([try keeper.service(["ready"])])
            let (code, text) = try await two.refusal(of: [])
            #expect(code == .stale && text.contains("inspect"))
        }
    }

    @Test func `garbage closes its connection and nothing else`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            let worker = try await client.ready()
            var random = SeededGenerator(seed: 2)
            for round in 0..<60 {
                let rude = round.isMultiple(of: 2) ? try TestClient(keeper) : try await keeper.client()
                try rude.send(bytes: [0xFF, 0xFF, 0xFF] + random.bytes(random.int(1...4_000)))
                _ = try await rude.remainder()
            }
            #expect(try await client.inspect().workers.map(\.process) == [worker])
        }
    }

    @Test func `damaged orders are refused or ignored, and the keeper lives`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            var random = SeededGenerator(seed: 3)
            let service = try keeper.service(["ready"]) { $0.builds[0].command = ["/bin/true"] }
            let frame = try #require(ClientMessage.apply(Order(generation: 1, services: [service])).frame())
            for _ in 0..<200 {
                let rude = try await keeper.client()
                try rude.send(bytes: Array(frame.prefix(4)) + random.damaged(Array(frame.dropFirst(4))))
            }
            _ = try await client.inspect()
            #expect(keeper.process.exitNow() == nil)
        }
    }

    @Test func `a client that does not read is not answered any more, and at last cut off`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let slow = try await keeper.client()
            let questions = try #require(ClientMessage.inspect.frame())
            let many = Array(repeatElement(questions, count: 2_000).joined())
            try await eventually("the keeper to stop listening to the slow client") {
                _ = try await client.inspect()
                return try slow.send(bytes: many) == 0
            }
            // What happens is still told to everybody, until the slow one has too much of it.
            try await client.apply([
                try keeper.service(["crash"], workers: Array(1...40)) {
                    $0.builds[0].command = ["/nowhere/" + String(repeating: "x", count: 250)]
                    $0.backoffMinimumMilliseconds = 10
                    $0.backoffMaximumMilliseconds = 10
                }
            ])
            try await eventually("the slow client to be cut", within: .seconds(60)) {
                _ = try await client.inspect()
                var wait = pollfd(fd: slow.descriptor, events: 0, revents: 0)
                return poll(&wait, 1, 0) == 1 && wait.revents & Int16(POLLHUP) != 0
            }
        }
    }

    @Test func `more clients than there is room for are turned away`() async throws {
        try await withKeeper { keeper in
            var clients: [TestClient] = []
            for _ in 0..<16 { clients.append(try await keeper.client()) }
            let tooMany = try TestClient(keeper)
            guard case .goodbye(let text)? = try await tooMany.remainder().first else {
                Issue.record("no goodbye")
                return
            }
            #expect(text.contains("16 clients"))
            clients.removeLast()
            try await eventually("room for another client") {
                let again = try TestClient(keeper)
                try again.send(.hello(version: keeperProtocolVersion))
                guard case .hello = try await again.next() else { return false }
                return true
            }
        }
    }

    @Test func `a client of another version is told so`() async throws {
        try await withKeeper { keeper in
            let client = try TestClient(keeper)
            try client.send(.hello(version: 99))
            let messages = try await client.remainder()
            guard case .hello(keeperProtocolVersion, keeper.process.pid)? = messages.first,
                case .goodbye(let text)? = messages.last
            else {
                Issue.record("unexpected: \(messages)")
                return
            }
            #expect(text.contains("99"))
        }
    }

    @Test func `a taken port is reported with its address, and the order changes nothing`() async throws {
        try await withKeeper { keeper in
            let taken = linux_listen_tcp("127.0.0.1", "0", 1)
            var text = [CChar](repeating: 0, count: 64)
            #expect(linux_local_address(taken, &text, text.count) == 0)
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let client = try await keeper.client()
            let services = [
                try keeper.service(["ready"], name: "first"),
                try keeper.service(["ready"], name: "second") { $0.listen = address },
            ]
            let (code, words) = try await client.refusal(of: services)
            #expect(code == .addressInUse && words.contains(address) && words.contains("second"))
            let inventory = try await client.inspect()
            #expect(inventory.generation == nil && inventory.listeners.isEmpty && inventory.workers.isEmpty)
            close(taken)
            try await client.apply(services)
            _ = try await client.ready()
        }
    }

    @Test(arguments: ["localhost:80", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", ":80", "203.0.113.7:80"])
    func `an address that cannot be used is refused with words`(address: String) async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            let (code, text) = try await client.refusal(of: [try keeper.service(["ready"]) { $0.listen = address }])
            #expect(code == .addressUnusable && text.contains(address))
        }
    }

    @Test func `the address of a service with living workers does not change`() async throws {
        try await withKeeper { keeper in
            let client = try await keeper.client()
            try await client.apply([try keeper.service(["ready"])])
            _ = try await client.ready()
            let (code, text) = try await client.refusal(of: [
                try keeper.service(["ready"]) { $0.listen = "127.0.0.2:0" }
            ])
            #expect(code == .listenChanged && text.contains("stop its workers first"))
            try await client.apply([])
            _ = try await client.exited()
            let listeners = try await client.apply([try keeper.service(["ready"]) { $0.listen = "[::1]:0" }])
            #expect(listeners.first?.resolved.hasPrefix("[::1]:") == true)
        }
    }
}

import CLinux
import Glibc
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import Testing

/// `KeeperClient` with real keepers and real little workers.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct KeeperClientTests {
    @Test func `an order brings up workers, and stopAll takes down everything`() async throws {
        try await withFolder { folder in
            let client = try makeClient(folder)
            var signals = client.signals().makeAsyncIterator()
            try await client.apply(StandingOrder(workers: ["web": [1: .configured, 2: .configured]]))
            let address = try #require(client.listenAddress(of: "web"))
            #expect(address.hasPrefix("127.0.0.1:") && !address.hasSuffix(":0"))

            try await awaitReady(2, &signals)
            let inventory = try await client.inspect()
            #expect(inventory.order == StandingOrder(workers: ["web": [1: .configured, 2: .configured]]))
            #expect(inventory.workers.map(\.id.number) == [1, 2])
            #expect(inventory.workers.allSatisfy { $0.saidReady && !$0.stopping })
            for worker in inventory.workers {
                #expect(linux_start_ticks(worker.process.pid) == worker.process.startTicks)
                #expect(try greeting(of: worker.adminSocket) == "\(worker.process.pid)")
            }

            try await client.stopAll()
            // Dead already; init takes a moment to reap it.
            try await eventually("the keeper to be gone") { kill(inventory.keeperPID, 0) != 0 }
            #expect(inventory.workers.allSatisfy { kill($0.process.pid, 0) != 0 })
            #expect(access("\(folder.path)/keeper.sock", F_OK) != 0)
            var exits = 0
            while let signal = await signals.next() {
                guard case .exited(_, _, let reason, let restart) = signal else { continue }
                #expect(reason == .code(0) && restart == nil)
                exits += 1
            }
            #expect(exits == 2)
        }
    }

    @Test func `workers outlive a client that ends, and the next one finds them and their order`() async throws {
        try await withFolder { folder in
            var first: KeeperClient? = try makeClient(folder)
            var signals = try #require(first?.signals()).makeAsyncIterator()
            try await first?.apply(StandingOrder(workers: ["web": [4: .configured]]))
            try await awaitReady(1, &signals)
            let before = try #require(try await first?.inspect())
            first = nil
            let last = await signals.next()
            #expect(last == nil)

            let second = try makeClient(folder)
            let after = try await second.inspect()
            #expect(after == before)
            #expect(second.listenAddress(of: "web") != nil)
            // The generation goes on from the standing order's.
            try await second.apply(StandingOrder(workers: ["web": [4: .configured, 5: .configured]]))
            #expect(try await second.inspect().workers.first == before.workers.first)
        }
    }

    @Test func `the keeper is no child of ours and leads its own session`() async throws {
        try await withFolder { folder in
            let inventory = try await makeClient(folder).inspect()
            #expect(inventory.order == nil && inventory.workers.isEmpty)
            #expect(getsid(inventory.keeperPID) == inventory.keeperPID)
            #expect(waitpid(inventory.keeperPID, nil, WNOHANG) == -1 && errno == ECHILD)
        }
    }

    @Test func `two clients that start at once share one keeper`() async throws {
        try await withFolder { folder in
            async let one = makeClient(folder).inspect()
            async let two = makeClient(folder).inspect()
            let (first, second) = try await (one, two)
            #expect(first.keeperPID == second.keeperPID)
        }
    }

    @Test func `a lost keeper ends the signals, is told as lost or replaced, and leaves the workers`() async throws {
        try await withFolder { folder in
            let client = try makeClient(folder)
            var signals = client.signals().makeAsyncIterator()
            try await client.apply(StandingOrder(workers: ["web": [1: .configured]]))
            try await awaitReady(1, &signals)
            let before = try await client.inspect()
            let worker = try #require(before.workers.first)
            defer { kill(worker.process.pid, SIGKILL) }
            kill(before.keeperPID, SIGKILL)
            while await signals.next() != nil {}
            #expect(kill(worker.process.pid, 0) == 0)
            // The next question finds no keeper and starts a new one, which knows of nothing.
            let after = try await client.inspect()
            #expect(after.keeperPID != before.keeperPID && after.order == nil)
            #expect(try greeting(of: worker.adminSocket) == "\(worker.process.pid)")
        }
    }

    @Test func `stopAll without a keeper is done at once and starts none`() async throws {
        try await withFolder { folder in
            try await makeClient(folder).stopAll()
            #expect(access(folder.file("keeper.lock"), F_OK) != 0)
        }
    }

    @Test func `a taken address is told as such`() async throws {
        try await withFolder { folder in
            let taken = linux_listen_tcp("127.0.0.1", "0", 1)
            defer { close(taken) }
            var text = [CChar](repeating: 0, count: 64)
            #expect(linux_local_address(taken, &text, text.count) == 0)
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let client = try makeClient(folder) { $0.listen = address }
            let error = await #expect(throws: WorkerControlError.self) {
                try await client.apply(StandingOrder(workers: ["web": [1: .configured]]))
            }
            guard case .addressInUse(let words)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(words.contains(address))
        }
    }

    @Test func `what cannot work is refused with a reason`() async throws {
        try await withFolder { folder in
            await expectRefusal("not in the configuration") {
                try await makeClient(folder).apply(StandingOrder(workers: ["nobody": [1: .configured]]))
            }
            await expectRefusal("does not know") { _ = try makeClient(folder) { $0.user = "no-such-user" } }
            await expectRefusal("/nowhere/oakum-keeper") {
                _ = try await KeeperClient(
                    stateFolder: folder.path, keeperProgram: "/nowhere/oakum-keeper", services: []
                ).inspect()
            }
            #expect(chmod(folder.path, 0o777) == 0)
            await expectRefusal("chmod go-w") { _ = try await makeClient(folder).inspect() }
            #expect(chmod(folder.path, 0o700) == 0)
        }
    }

    @Test func `somebody else's rubbish on the keeper's socket is told, not believed`() async throws {
        try await withFolder { folder in
            let listener = linux_listen_unix(folder.file("keeper.sock"), 0o600, 4)
            #expect(listener >= 0)
            async let outcome: Void = expectLost { _ = try await makeClient(folder).inspect() }
            let connection = try await eventually("the client to connect") {
                let connection = accept(listener, nil, nil)
                return connection >= 0 ? connection : nil
            }
            #expect(write(connection, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28)
            await outcome
            close(connection)
            close(listener)
            unlink(folder.file("keeper.sock"))
        }
    }

    private func expectRefusal(_ words: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: WorkerControlError.self) { try await body() }
        guard case .refused(let text)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(text.contains(words), "\(text)")
    }

    private func expectLost(_ body: @Sendable () async throws -> Void) async {
        let error = await #expect(throws: WorkerControlError.self) { try await body() }
        guard case .keeperLost? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    private func awaitReady(_ count: Int, _ signals: inout AsyncStream<WorkerSignal>.Iterator) async throws {
        var ready: Set<WorkerID> = []
        while ready.count < count {
            guard let signal = await signals.next(isolation: #isolation) else {
                throw TestKitError("the signals ended")
            }
            if case .ready(let id, _) = signal { ready.insert(id) }
        }
    }
}

/// A folder for one keeper, which is stopped with its workers at the end whatever happens.
func withFolder(_ body: (TemporaryFolder) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(folder))
        } catch {
            outcome = .failure(error)
        }
        try await makeClient(folder).stopAll()
        try outcome.get()
    }
}

func makeClient(
    _ folder: TemporaryFolder, _ change: (inout KeptService) -> Void = { _ in }
) throws -> KeeperClient {
    var service = KeptService(
        name: "web", command: [try builtExecutable("fixture-worker"), "ready"], environment: [:],
        listen: "127.0.0.1:0", stopDeadline: 5)
    change(&service)
    return try KeeperClient(
        stateFolder: folder.path, keeperProgram: try builtExecutable("oakum-keeper"), services: [service])
}

/// The first line a fixture worker says to whoever connects to its Unix socket.
func greeting(of socketPath: String) throws -> String {
    let descriptor = linux_connect_unix(socketPath, 0)
    guard descriptor >= 0 else { throw TestKitError("cannot connect to \(socketPath): errno \(-descriptor)") }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}

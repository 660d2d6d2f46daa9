import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10)))
struct OutboundConcurrencyTests {
    @Test func `cancelling the task ends the transfer at once`() async throws {
        let client = OutboundClient()
        let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
        let server = try OutboundServer { _ in
            signal.yield()
            return .silence
        }
        defer { server.stop() }
        let outcome = await withTaskGroup(of: OutboundError?.self) { group in
            group.addTask {
                do throws(OutboundError) {
                    _ = try await client.send(.init(target: .url(server.url), timeoutSeconds: 50))
                    return nil
                } catch {
                    return error
                }
            }
            for await _ in arrived { break }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome == .cancelled)
    }

    @Test func `a task cancelled beforehand sends nothing`() async throws {
        let client = OutboundClient()
        let server = try OutboundServer { _ in OutboundServer.answer("") }
        defer { server.stop() }
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                await #expect(throws: OutboundError.cancelled) {
                    _ = try await client.send(.init(target: .url(server.url)))
                }
            }
        }
        _ = try await client.send(.init(target: .url(server.url)))
        #expect(server.requests.count == 1)
    }

    @Test func `shutting down ends what is under way and what comes later`() async throws {
        let client = OutboundClient()
        let server = try OutboundServer { _ in
            client.shutdown()
            return .silence
        }
        defer { server.stop() }
        await #expect(throws: OutboundError.cancelled) {
            _ = try await client.send(.init(target: .url(server.url), timeoutSeconds: 50))
        }
        await #expect(throws: OutboundError.cancelled) {
            _ = try await client.send(.init(target: .url(server.url), timeoutSeconds: 50))
        }
        client.shutdown()
    }

    @Test func `only so many run at once, and the rest wait their turn`() async throws {
        let client = OutboundClient(maxConcurrent: 3)
        let busy = Mutex((now: 0, most: 0))
        let server = try OutboundServer { _ in
            busy.withLock { busy in
                busy.now += 1
                busy.most = max(busy.most, busy.now)
            }
            var total = 0
            for round in 0..<200_000 { total &+= round }
            busy.withLock { $0.now -= 1 }
            return OutboundServer.answer("\(total)")
        }
        defer { server.stop() }
        let good = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do throws(OutboundError) {
                        return try await client.send(.init(target: .url(server.url))).status == 200
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 100)
        #expect(busy.withLock { $0.most } <= 3)
        #expect(server.connections <= 16)
    }

    @Test func `waiting for a slot counts against the timeout`() async throws {
        let client = OutboundClient(maxConcurrent: 1)
        let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
        let server = try OutboundServer { _ in
            signal.yield()
            return .silence
        }
        defer { server.stop() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: OutboundError.cancelled) {
                    _ = try await client.send(.init(target: .url(server.url), timeoutSeconds: 50))
                }
            }
            for await _ in arrived { break }
            await #expect(throws: OutboundError.timedOut("no free slot for an outgoing request within its timeout")) {
                _ = try await client.send(.init(target: .url(server.url), timeoutSeconds: 0.1))
            }
            group.cancelAll()
        }
        #expect(server.requests.count == 1)
    }
}

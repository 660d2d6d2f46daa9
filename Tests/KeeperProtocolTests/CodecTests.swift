import KeeperProtocol
import OakumTestKit
import Testing

struct CodecTests {
    @Test func `every message comes back as it was sent, in whatever pieces it arrives`() async throws {
        try await forAll(seeds: 300) { random in
            let sent = (0..<random.int(1...5)).map { _ in random.clientMessage() }
            let answered = (0..<random.int(1...5)).map { _ in random.keeperMessage() }
            let toKeeper = try sent.flatMap { try #require($0.frame()) }
            let toClient = try answered.flatMap { try #require($0.frame()) }
            #expect(try bodies(of: toKeeper, &random).map { try ClientMessage(body: $0[...]) } == sent)
            #expect(try bodies(of: toClient, &random).map { try KeeperMessage(body: $0[...]) } == answered)
        }
    }

    @Test func `random bytes never crash the decoder and never make it hold more than it was given`() async throws {
        try await forAll(seeds: 500) { random in
            var decoder = FrameDecoder()
            var given = 0
            for _ in 0..<random.int(1...20) {
                let piece = random.bytes(random.int(0...200))
                given += piece.count
                decoder.append(piece)
                #expect(decoder.pendingBytes <= given)
                do throws(WireError) {
                    while let body = try decoder.next() { decodeBoth(body) }
                } catch {
                    return
                }
            }
        }
    }

    @Test func `damaged messages are refused or read as another message, without a crash`() async throws {
        try await forAll(seeds: 1_000) { random in
            let frame = try #require(
                random.chance(0.5) ? random.clientMessage().frame() : random.keeperMessage().frame())
            decodeBoth(random.damaged(Array(frame.dropFirst(4)))[...])
            var decoder = FrameDecoder()
            decoder.append(random.damaged(frame))
            do throws(WireError) {
                while let body = try decoder.next() { decodeBoth(body) }
            } catch {
                return
            }
        }
    }

    @Test func `an announced length beyond the bound is refused before anything is kept for it`() throws {
        var decoder = FrameDecoder()
        decoder.append([0xFF, 0xFF, 0xFF, 0x7F])
        #expect(throws: WireError.tooLong(0x7FFF_FFFF)) { try decoder.next() }
        var atTheBound = FrameDecoder()
        atTheBound.append([0x00, 0x00, 0x10, 0x00])
        #expect(try atTheBound.next() == nil)
    }

    @Test func `a list that announces more elements than there are bytes is refused`() {
        // applied, generation 0, four thousand million listeners
        let body: [UInt8] = [3] + [UInt8](repeating: 0, count: 8) + [0xFF, 0xFF, 0xFF, 0xFF]
        #expect(throws: WireError.truncated) { try KeeperMessage(body: body[...]) }
    }

    @Test func `text that is no text is refused`() {
        #expect(throws: WireError.notText) { try KeeperMessage(body: [6, 2, 0, 0, 0, 0xC3, 0x28]) }
    }

    @Test func `fields added at a message's end by a newer version are skipped`() throws {
        let frame = try #require(ClientMessage.hello(version: 7).frame())
        let longer = frame.dropFirst(4) + [1, 2, 3]
        #expect(try ClientMessage(body: longer) == .hello(version: 7))
    }

    @Test func `a message too long for a frame is not made`() {
        let service = ServiceOrder(
            name: "a", listen: "", command: [String(repeating: "x", count: FrameDecoder.longestBody)], workers: [])
        #expect(ClientMessage.apply(Order(generation: 1, services: [service])).frame() == nil)
    }

    private func bodies(of stream: [UInt8], _ random: inout SeededGenerator) throws -> [[UInt8]] {
        var decoder = FrameDecoder()
        var bodies: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(random.int(1...40))
            rest = rest.dropFirst(piece.count)
            decoder.append(piece)
            while let body = try decoder.next() { bodies.append(Array(body)) }
        }
        #expect(decoder.pendingBytes == 0)
        return bodies
    }

    /// What matters is that it returns.
    private func decodeBoth(_ body: ArraySlice<UInt8>) {
        _ = Result { try ClientMessage(body: body) }
        _ = Result { try KeeperMessage(body: body) }
    }
}

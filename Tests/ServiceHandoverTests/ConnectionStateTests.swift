import NIOCore
import OakumTestKit
import ServiceHandover
import Testing

@Suite struct ConnectionStateTests {
    private static let limits = ConnectionState.Limits(
        idle: .seconds(6), header: .seconds(10), body: .seconds(30), linger: .seconds(2), headerBytes: 1000,
        lateBodyBytes: 100)
    private static let keeps = ConnectionState.Owed(keepsAlive: true, isOldVersion: false)

    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds) * 1_000_000_000) }
    private func fresh() -> ConnectionState { ConnectionState(limits: Self.limits, now: at(0)) }

    @Test func `a connection that never speaks has the idle window`() {
        let state = fresh()
        #expect(state.deadline?.at == at(6))
        #expect(state.deadline?.wait == .idle)
        #expect(state.cut == .idle)
    }

    @Test func `an unfinished head has its own deadline, which more bytes do not move`() {
        var state = fresh()
        state.bytesRead(1, now: at(5))
        state.bytesRead(1, now: at(9))
        #expect(state.deadline?.at == at(15))
        #expect(state.deadline?.wait == .header)
        #expect(state.cut == .request)
    }

    @Test func `a standing body is the client's fault only while we want to read`() {
        var state = fresh()
        state.bytesRead(10, now: at(1))
        let isTaken = state.requestHead(Self.keeps, bodyBytes: 50)
        #expect(isTaken)
        #expect(state.deadline == nil)
        state.wantsRead = true
        #expect(state.deadline?.at == at(31))
        #expect(state.deadline?.wait == .body)
        state.requestEnd(now: at(2))
        #expect(state.deadline == nil)
    }

    @Test func `after an answer the idle window starts anew`() {
        var state = fresh()
        request(&state, now: at(3))
        let head = state.answerHead(closes: false, knowsLength: true, isDraining: false)
        #expect(!head.closes)
        let ends = state.answerWritten(now: at(4))
        #expect(!ends)
        #expect(state.deadline?.at == at(10))
    }

    @Test func `while draining only the last answer that is owed closes`() {
        var state = fresh()
        for _ in 0..<3 { request(&state, now: at(1)) }
        let closes = (0..<3).map { _ in
            let head = state.answerHead(closes: false, knowsLength: true, isDraining: true)
            return (head.closes, state.answerWritten(now: at(2)))
        }
        #expect(closes.map(\.0) == [false, false, true])
        #expect(closes.map(\.1) == [false, false, true])
        let takesMore = state.requestHead(Self.keeps, bodyBytes: 0)
        #expect(!takesMore)
    }

    @Test func `the client's wish to close holds whatever follows it`() {
        var state = fresh()
        request(&state, .init(keepsAlive: false, isOldVersion: false), now: at(1))
        let takesMore = state.requestHead(Self.keeps, bodyBytes: 0)
        #expect(!takesMore)
        let head = state.answerHead(closes: false, knowsLength: true, isDraining: false)
        #expect(head.closes)
    }

    @Test func `the service's wish to close waits for the requests already read`() {
        var state = fresh()
        request(&state, now: at(1))
        request(&state, now: at(1))
        let first = state.answerHead(closes: true, knowsLength: true, isDraining: false)
        _ = state.answerWritten(now: at(1))
        let second = state.answerHead(closes: false, knowsLength: true, isDraining: false)
        #expect([first.closes, second.closes] == [false, true])
    }

    @Test(arguments: [(100, false), (101, true), (nil, true)])
    func `an answer before a long or endless body closes`(left: Int?, closes: Bool) {
        var state = fresh()
        _ = state.requestHead(Self.keeps, bodyBytes: left)
        let head = state.answerHead(closes: false, knowsLength: true, isDraining: false)
        #expect(head.closes == closes)
    }

    @Test func `lingering discards what comes and ends soon`() {
        var state = fresh()
        request(&state, now: at(1))
        _ = state.answerHead(closes: true, knowsLength: true, isDraining: false)
        let ends = state.answerWritten(now: at(2))
        #expect(ends)
        state.outputEnded(now: at(2))
        state.outputEnded(now: at(3))
        #expect(state.discardsInput)
        #expect(state.deadline?.at == at(4))
        #expect(state.deadline?.wait == .linger)
        #expect(state.cut == .alreadyEnding)
    }

    @Test func `an old client without a stated length is told by the end`() {
        var state = fresh()
        request(&state, .init(keepsAlive: true, isOldVersion: true), now: at(1))
        let head = state.answerHead(closes: false, knowsLength: false, isDraining: false)
        #expect(head == .init(closes: true, isOldVersion: true))
    }

    @Test func `a head over its bound is seen, a body is not counted to it`() {
        var state = fresh()
        state.bytesRead(1001, now: at(1))
        #expect(state.headIsTooLarge)
        _ = state.requestHead(Self.keeps, bodyBytes: 5000)
        state.bytesRead(5000, now: at(1))
        #expect(!state.headIsTooLarge)
        state.requestEnd(now: at(1))
        #expect(!state.headIsTooLarge)
    }

    @Test(arguments: [7, 8, 9] as [UInt64])
    func `whatever happens, a connection waits for something or works, and never owes less than nothing`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var state = fresh()
            var now: Int64 = 0
            for _ in 0..<60 {
                now += Int64(random.int(0...3))
                step(&state, at(now), &random)
                // Without a deadline the service must be at work: owed answers, or an end that is being written.
                #expect(state.deadline != nil || !state.owed.isEmpty || state.isEnding || !state.wantsRead)
                if let deadline = state.deadline { #expect(deadline.at <= at(now + 30)) }
            }
        }
    }

    private func step(_ state: inout ConnectionState, _ now: NIODeadline, _ random: inout SeededGenerator) {
        switch random.int(0...7) {
        case 0: state.bytesRead(random.int(1...400), now: now)
        case 1: _ = state.requestHead(.init(keepsAlive: random.chance(0.8), isOldVersion: false), bodyBytes: 10)
        case 2: state.requestBody(random.int(1...20))
        case 3: state.requestEnd(now: now)
        case 4:
            _ = state.answerHead(closes: random.chance(0.1), knowsLength: true, isDraining: random.chance(0.2))
        case 5: if state.answerWritten(now: now) { state.outputEnded(now: now) }
        case 6: state.wantsRead = random.chance(0.7)
        default: if random.chance(0.2) { state.inputEnded() }
        }
    }

    private func request(
        _ state: inout ConnectionState, _ request: ConnectionState.Owed = keeps, now: NIODeadline
    ) {
        state.bytesRead(20, now: now)
        _ = state.requestHead(request, bodyBytes: 0)
        state.requestEnd(now: now)
    }
}

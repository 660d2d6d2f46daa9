import OakumEngine
import OakumTestKit
import Testing

@testable import LinuxHost

/// The reading of a growing file, over a file that is an array.
@Suite struct LogCursorTests {
    /// A log as the keeper keeps it.
    private struct Log {
        var inode: UInt64 = 1
        var bytes: [UInt8] = []

        mutating func look(_ cursor: inout LogCursor, limit: Int = LogLimits.ofOneWorker) -> [String] {
            guard let stretch = cursor.next(file: inode, size: Int64(bytes.count), limit: limit) else { return [] }
            let start = Int(stretch.offset)
            return Self.lines(cursor.take(Array(bytes[start..<(start + stretch.count)])))
        }

        static func lines(_ bytes: [UInt8]) -> [String] {
            #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
            return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test func `a line without its end waits for it`() {
        var (log, cursor) = (Log(), LogCursor(startsAtEnd: false))
        log.bytes = Array("one\ntw".utf8)
        #expect(log.look(&cursor) == ["one"])
        #expect(log.look(&cursor) == [])
        log.bytes += Array("o\n".utf8)
        #expect(log.look(&cursor) == ["two"])
    }

    @Test(arguments: ["earlier\n", "earlier\nin the midd", ""])
    func `what was there before is left out, and what comes next is not`(earlier: String) {
        var (log, cursor) = (Log(), LogCursor(startsAtEnd: true))
        log.bytes = Array(earlier.utf8)
        #expect(log.look(&cursor) == [])
        log.bytes += Array((earlier.hasSuffix("midd") ? "le\n" : "").utf8) + Array("next\n".utf8)
        #expect(log.look(&cursor) == ["next"])
        #expect(cursor.takeSkipped() == 0)
    }

    @Test func `an emptied file is read from its begin, also when it has grown beyond the old place`() {
        var (log, cursor) = (Log(), LogCursor(startsAtEnd: false))
        log.bytes = Array("a line of before\nunfinished".utf8)
        #expect(log.look(&cursor) == ["a line of before"])
        log.bytes = Array("short\n".utf8)
        #expect(log.look(&cursor) == ["short"])
        log.bytes = Array("other text that is longer\nthan what was there\n".utf8)
        #expect(log.look(&cursor) == [])
        #expect(log.look(&cursor) == ["other text that is longer", "than what was there"])
        log.inode = 2
        log.bytes = Array("another file that is longer still, by some words\n".utf8)
        #expect(log.look(&cursor) == ["another file that is longer still, by some words"])
    }

    @Test func `of a flood the end is read, and the rest is counted`() {
        var (log, cursor) = (Log(), LogCursor(startsAtEnd: false))
        log.bytes = Array((0..<2_000).map { "line \($0)\n" }.joined().utf8)
        let found = log.look(&cursor, limit: 1_000)
        #expect(found.count > 50 && found.last == "line 1999")
        #expect(cursor.takeSkipped() == Int64(log.bytes.count - 1_000))
        #expect(cursor.takeSkipped() == 0)
    }

    @Test func `a line without an end is cut, and does not grow in memory`() {
        var (log, cursor) = (Log(), LogCursor(startsAtEnd: false))
        var found: [String] = []
        for _ in 0..<100 {
            log.bytes += [UInt8](repeating: 0x61, count: 1_000)
            found += log.look(&cursor)
        }
        log.bytes += Array("\nnext\n".utf8)
        found += log.look(&cursor)
        #expect(found.map(\.utf8.count) == [LogLimits.ofOneLine, 4] && found.last == "next")
    }

    @Test func `whatever happens to the file, only lines that were written come out, in order and once`() async throws {
        try await forAll(seeds: 200) { generator in
            var (log, cursor) = (Log(), LogCursor(startsAtEnd: generator.chance(0.3)))
            var (written, last) = (0, -1)
            // The end of what was printed that has not reached the file yet.
            var late: [UInt8] = []
            for _ in 0..<generator.int(1...120) {
                switch generator.int(0...9) {
                case 0: (log.bytes, late) = ([], [])
                case 1:
                    log.inode += 1
                    (log.bytes, late) = ([], [])
                case 2, 3, 4:
                    log.bytes += late
                    for _ in 0..<generator.int(1...40) {
                        log.bytes += Array("line \(written) of \(written)\n".utf8)
                        written += 1
                    }
                    late = log.bytes.suffix(generator.int(0...8))
                    log.bytes.removeLast(late.count)
                default: break
                }
                for line in log.look(&cursor, limit: generator.int(64...2_000)) {
                    let words = line.split(separator: " ")
                    let number = try #require(words.count == 4 ? Int(words[1]) : nil, "\(line)")
                    #expect(line == "line \(number) of \(number)" && number > last, "\(line) after \(last)")
                    last = number
                }
            }
        }
    }

    @Test func `any bytes go through`() async throws {
        try await forAll(seeds: 100) { generator in
            var (log, cursor) = (Log(), LogCursor(startsAtEnd: false))
            var out: [UInt8] = []
            for _ in 0..<20 {
                log.bytes += (0..<generator.int(0...300)).map { _ in UInt8(generator.int(0...255)) }
                guard let stretch = cursor.next(file: 1, size: Int64(log.bytes.count), limit: 100_000) else { continue }
                let start = Int(stretch.offset)
                // A read may give less than was asked for.
                let count = generator.int(min(16, stretch.count)...stretch.count)
                out += cursor.take(Array(log.bytes[start..<(start + count)]))
            }
            let isPart = log.bytes.starts(with: out)
            #expect(isPart)
        }
    }
}

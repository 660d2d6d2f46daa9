import Testing

@testable import LoadGenerator

struct ResponseParserTests {
    private struct Answer: Hashable {
        var progress: ResponseParser.Progress
        var status: Int
        var body: String
        var closes: Bool
        var window: Double?
    }

    /// Feeds `text` in pieces of the given sizes, then ends the connection when `ends`.
    private func parse(_ text: String, pieces: [Int] = [], ends: Bool = false, isHead: Bool = false) -> Answer {
        var parser = ResponseParser()
        parser.reset(isHead: isHead, keepsBody: true)
        let bytes = Array(text.utf8)
        var progress = ResponseParser.Progress.needsMore
        var position = 0
        for size in pieces + [bytes.count] where position < bytes.count {
            let end = min(position + size, bytes.count)
            progress = bytes[position..<end].withUnsafeBytes { parser.consume($0) }
            position = end
            if case .complete(let leftover) = progress {
                progress = .complete(leftover: leftover + bytes.count - position)
                break
            }
            if case .malformed = progress { break }
        }
        if ends, parser.end() { progress = .complete(leftover: 0) }
        return Answer(
            progress: progress, status: parser.status, body: String(decoding: parser.body, as: UTF8.self),
            closes: parser.closesConnection, window: parser.keepAliveSeconds)
    }

    private static let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: max=9, timeout=5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201\r\ncontent-length:5\r\nconnection: Upgrade, Close\r\n\r\nhello",
        "HTTP/1.0 200 OK\nContent-Length: 5\nConnection: Keep-Alive\n\nhello",
    ]

    @Test func `usual answers are read`() {
        let read = Self.answers.map { parse($0) }
        #expect(read.allSatisfy { $0.progress == .complete(leftover: 0) && $0.body == "hello" })
        #expect(read.map(\.status) == [200, 200, 201, 200])
        #expect(read.map(\.closes) == [false, false, true, false])
        #expect(read[0].window == 5)
    }

    @Test func `answers without a body end with their head`() {
        #expect(parse("HTTP/1.1 204 No Content\r\n\r\n").progress == .complete(leftover: 0))
        #expect(parse("HTTP/1.1 304 X\r\ncontent-length: 9\r\n\r\n").progress == .complete(leftover: 0))
        #expect(parse("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", isHead: true).progress == .complete(leftover: 0))
        #expect(parse("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nxy").progress == .complete(leftover: 2))
    }

    @Test func `a body without a length lasts until the end`() {
        let open = parse("HTTP/1.1 200 OK\r\n\r\nhello")
        #expect(open.progress == .needsMore)
        let ended = parse("HTTP/1.1 200 OK\r\n\r\nhello", ends: true)
        #expect(ended.progress == .complete(leftover: 0))
        #expect(ended.body == "hello")
        #expect(ended.closes)
    }

    @Test(arguments: [
        "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 700 OK\r\n", "HTTP/1.1 2000\r\n", "hello there, you\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
    ])
    func `a malformed answer is refused`(text: String) {
        guard case .malformed = parse(text).progress else {
            Issue.record("accepted \(text.prefix(60))")
            return
        }
    }

    @Test func `too many or too long lines are refused`() {
        let many = parse("HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 300))
        #expect(many.progress == .malformed("more than 256 header lines"))
        let long = parse("HTTP/1.1 200 " + String(repeating: "a", count: 20_000))
        #expect(long.progress == .malformed("a line longer than 16384 bytes"))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `how the bytes are split does not matter`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let text = Self.answers[Int(seed) % Self.answers.count] + (seed % 3 == 0 ? "rest" : "")
        let pieces = (0..<200).map { _ in Int.random(in: 1...9, using: &random) }
        #expect(parse(text, pieces: pieces) == parse(text))
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `garbage never breaks it and never grows it`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Array(Self.answers[Int(seed) % Self.answers.count].utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            }
        }
        var parser = ResponseParser()
        parser.reset(isHead: false, keepsBody: true)
        for start in stride(from: 0, to: bytes.count, by: 7) {
            let piece = bytes[start..<min(start + 7, bytes.count)]
            if case .complete(let leftover) = piece.withUnsafeBytes({ parser.consume($0) }) {
                #expect(leftover <= piece.count)
            }
        }
        #expect(parser.body.count <= bytes.count)
    }
}

struct JSONTextTests {
    private func scalar(_ path: String, _ text: String) -> String? {
        JSONText.scalar(at: path, in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a value is found by its path`() {
        let text =
            #" {"a": [1, {"token": "no"}], "b" : {"c\n": null, "token": "y\u00e9s \ud83d\ude00\\"}, "n": -1.5e3} "#
        #expect(scalar("b.token", text) == "yés 😀\\")
        #expect(scalar("n", text) == "-1.5e3")
        #expect(scalar("token", text) == nil)
        #expect(scalar("a", text) == nil)
        #expect(scalar("b", text) == nil)
        #expect(scalar("a.token", text) == nil)
    }

    @Test(arguments: [
        "", "{", "[]", #"{"token"}"#, #"{"token":}"#, #"{"x":[}, "token":"a"}"#, #"{"token":"a"#, #"{"token":"\u12"}"#,
        #"{"token":"\ud800x"}"#, #"{"token":"\q"}"#, #"{"x" "token":"a"}"#, "{\"token\":\"\u{1}\"}",
        #"{"x":"# + String(repeating: "[", count: 100) + #","token":"a"}"#,
    ])
    func `text that is no JSON gives nothing`(text: String) {
        #expect(scalar("token", text) == nil)
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `garbage never breaks it`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array(#"{}[]":,\ut0e-dn"#.utf8)
        let bytes = (0..<60).compactMap { _ in alphabet.randomElement(using: &random) }
        let value = JSONText.scalar(at: "t.e", in: [UInt8(ascii: "{")] + bytes)
        #expect((value?.count ?? 0) <= 4 * bytes.count)
    }
}

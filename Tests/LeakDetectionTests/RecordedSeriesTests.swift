import LeakDetection
import OakumModel
import OakumTestKit
import Testing

@Suite struct RecordedSeriesTests {
    private static func read(_ text: String, column: String? = nil) throws(CSVProblem) -> RecordedSeries {
        try SeriesReader(wanted: column).read(Array(text.utf8), name: "test")
    }

    private static func problem(_ text: String, column: String? = nil) -> CSVProblem? {
        do throws(CSVProblem) {
            _ = try read(text, column: column)
            return nil
        } catch {
            return error
        }
    }

    @Test func `seconds, memory and requests are read`() throws {
        let series = try Self.read("seconds,rss_bytes,requests_total\n0,62914560,10\n1.5,62918656,\n")
        #expect(series.unit == .bytes && series.column == "rss_bytes")
        #expect(
            series.points == [
                SeriesPoint(seconds: 0, value: 62_914_560, work: 10), SeriesPoint(seconds: 1.5, value: 62_918_656),
            ])
    }

    @Test func `byte order mark, CRLF, blank lines, remarks and quotes do no harm`() throws {
        let text = "\u{FEFF}\"seconds\",\"memory_percent\"\r\n\r\n# a remark\r\n 0 , 84.5 \r\n\"10\",\"85\"\r\n"
        let series = try Self.read(text)
        #expect(series.unit == .percent)
        #expect(series.points.map(\.value) == [84.5, 85] && series.points.map(\.seconds) == [0, 10])
    }

    @Test func `the best memory column is taken, or the one asked for`() throws {
        let text = "seconds,cpu_percent,rss_bytes,anon_bytes\n0,1,2,3\n"
        #expect(try Self.read(text).points.map(\.value) == [3])
        #expect(try Self.read(text, column: "rss_bytes").points.map(\.value) == [2])
        #expect(Self.problem(text, column: "swap_bytes")?.problem == "no memory column called swap_bytes")
    }

    @Test func `dates count from the first reading, whatever their offset`() throws {
        let series = try Self.read(
            "time,rss_bytes\n2023-11-10T10:00:00-05:00,1\n2023-11-10T15:00:30Z,2\n2023-11-10T18:01:00.25+03:00,3\n")
        #expect(series.points.map(\.seconds) == [0, 30, 60.25])
        #expect(series.firstTime == "2023-11-10T10:00:00-05:00")
        let leap = try Self.read("time,rss_bytes\n2024-02-28T23:59:59Z,1\n2024-03-01T00:00:00Z,2\n")
        #expect(leap.points[1].seconds == 86_401)
    }

    @Test func `a missing value is left out, never zero, and said`() throws {
        let series = try Self.read("seconds,rss_bytes\n0,5\n1,\n2,NaN\n3,6\n")
        #expect(series.points.map(\.value) == [5, 6])
        #expect(series.remarks == ["2 lines without a value were left out"])
    }

    @Test func `times out of order are sorted, and said`() throws {
        let series = try Self.read("seconds,rss_bytes\n2,3\n0,1\n1,2\n1,4\n")
        #expect(series.points.map(\.value) == [1, 2, 4, 3])
        #expect(series.remarks == ["1 lines were earlier than the line before: sorted by time"])
    }

    @Test(arguments: [
        ("", 1, "the file is empty"), ("\n\n", 1, "the file is empty"),
        ("timestamp,rss_bytes\n", 1, "the first column is called \"timestamp\""),
        ("seconds,memory\n", 1, "no column holds memory (found: memory)"),
        ("seconds\n", 1, "no column holds memory (found: none)"),
        ("seconds,rss_bytes\n0,1\n1\n", 3, "1 fields where the header has 2"),
        ("seconds,rss_bytes\n0,12MiB\n", 2, "\"12MiB\" in column rss_bytes is no number"),
        ("seconds,rss_bytes\n0,0x10\n", 2, "\"0x10\" in column rss_bytes is no number"),
        ("seconds,rss_bytes\n0,inf\n", 2, "\"inf\" in column rss_bytes is no number"),
        ("seconds,rss_bytes\n,1\n", 2, "no time"),
        ("time,rss_bytes\n2023-02-30T00:00:00Z,1\n", 2, "\"2023-02-30T00:00:00Z\" is no RFC 3339 time"),
    ])
    func `a malformed file is refused with its line and a hint`(text: String, line: Int, problem: String) {
        let found = Self.problem(text)
        #expect(found?.line == line)
        #expect(found?.problem == problem)
        #expect(found?.hint.isEmpty == false)
    }

    @Test(arguments: ["0", "84.5", "-3.25", "1e3", "123456789012345678", "0.1", "62914560", "1.7976931348623157e308"])
    func `numbers are read exactly`(text: String) throws {
        let series = try Self.read("seconds,rss_bytes\n0,\(text)\n")
        #expect(series.points.map(\.value) == [try #require(Double(text))])
    }

    @Test(arguments: 0..<200) func `garbage never makes the reader trap`(seed: UInt64) {
        var generator = SeededGenerator(scrambling: seed)
        let pieces = [
            "seconds", "time", ",", "rss_bytes", "\n", "\r\n", "1", "0.5", "-", "\"", "e", "NaN",
            "2023-11-10T10:00:00Z",
            "\u{FEFF}", "#", " ", "memory_percent", "9999999999999999999", "2023-13-01T00:00:00Z", "é", ".",
        ]
        var bytes = Array((generator.unit() < 0.6 ? "seconds,rss_bytes\n" : "").utf8)
        for _ in 0..<Int(generator.within(0, 120)) {
            if generator.unit() < 0.1 {
                bytes.append(UInt8(truncatingIfNeeded: generator.next()))
            } else {
                bytes += Array(pieces[Int(generator.within(0, Double(pieces.count)))].utf8)
            }
        }
        do throws(CSVProblem) {
            let series = try SeriesReader().read(bytes, name: "fuzz")
            #expect(series.points.allSatisfy { $0.value.isFinite && $0.seconds.isFinite })
            #expect(!RecordedAnalysis(series).verdict.evidence.isEmpty)
        } catch {
            #expect(error.line >= 1 && !error.problem.isEmpty && !error.hint.isEmpty)
        }
    }

    // MARK: - Analysis

    private static func series(_ value: (Double) -> Double, work: (Double) -> Double?, seconds: Int) -> RecordedSeries {
        RecordedSeries(
            name: "made", column: "rss_bytes", unit: .bytes,
            points: (0..<seconds).map { second in
                let time = Double(second)
                return SeriesPoint(seconds: time, value: value(time) * 1_048_576, work: work(time))
            })
    }

    @Test func `a leak that a restart ended is still reported`() {
        let series = Self.series(
            { $0 < 300 ? 50 : $0 < 350 ? 50 + ($0 - 300) : 50 }, work: { _ in nil }, seconds: 900)
        let verdict = RecordedAnalysis(series, limit: 110 * 1_048_576).verdict
        #expect(verdict.code == .leak)
        #expect(verdict.evidence.contains { $0.hasPrefix("the memory came down again at second 35") })
        #expect(verdict.timeToLimit == nil)
    }

    @Test func `where the work count falls, a new process begins`() {
        // Each life warms up by 20 MiB; as one series the second warm-up would be growth after a long calm.
        let series = Self.series(
            { 50 + 20 * min(1, $0.truncatingRemainder(dividingBy: 600) / 5) },
            work: { $0.truncatingRemainder(dividingBy: 600) * 10 }, seconds: 1_800)
        let verdict = RecordedAnalysis(series, limit: 110 * 1_048_576).verdict
        #expect(verdict.code != .leak)
        #expect(verdict.evidence.contains { $0.hasPrefix("3 processes one after the other") })
    }

    @Test func `a series without readings is not judged`() throws {
        let verdict = RecordedAnalysis(try Self.read("seconds,rss_bytes\n")).verdict
        #expect(verdict.code == .notEnoughData)
    }
}

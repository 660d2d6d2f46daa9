import PrometheusText
import Testing

@Suite struct PrometheusTextTests {
    @Test func `samples are read with names, labels and values`() {
        let samples = PrometheusText.parse(
            """
            # HELP http_requests_total Requests answered.
            # TYPE http_requests_total counter
            http_requests_total{code="2xx"} 10
            http_requests_total{ code = "5xx" , path="a\\\\b\\"c\\nd", } 2 1700000000000

            up 1
              process_start_time_seconds\t1.7e9\r
            """)
        #expect(
            samples == [
                PrometheusSample(name: "http_requests_total", labels: ["code": "2xx"], value: 10),
                PrometheusSample(
                    name: "http_requests_total", labels: ["code": "5xx", "path": "a\\b\"c\nd"], value: 2),
                PrometheusSample(name: "up", value: 1),
                PrometheusSample(name: "process_start_time_seconds", value: 1.7e9),
            ])
        #expect(samples.value("http_requests_total") == 12)
        #expect(samples.value("http_requests_total", where: ["code": "5xx"]) == 2)
    }

    @Test func `a metric that is absent is unknown, not zero`() {
        let samples = PrometheusText.parse("up 1\n")
        #expect(samples.value("down") == nil)
        #expect(samples.value("up", where: ["job": "a"]) == nil)
    }

    @Test func `values that are no numbers keep their meaning`() {
        let samples = PrometheusText.parse("a +Inf\nb -Inf\nc NaN\nd 0x1p3\n")
        #expect(samples.count == 4)
        #expect(samples.value("a") == .infinity)
        #expect(samples.value("b") == -.infinity)
        #expect(samples.value("c")?.isNaN == true)
        #expect(samples.value("d") == 8)
    }

    @Test(arguments: [
        "1up 1", "up", "up one", "up 1 2 3", "up 1 later", "up{a=\"b\" 1", "up{a=b} 1", "up{a=\"b} 1", "up{a=\"b\\",
        "up{a=\"1\",a=\"2\"} 1", "{a=\"b\"} 1", "up-time 1", "up}1", "up{=\"b\"} 1", "up{a:b=\"c\"} 1", "ü 1",
    ])
    func `a malformed line is skipped and counted, its neighbours are kept`(line: String) {
        let document = PrometheusText.read(Array("before 1\n\(line)\nafter 2\n".utf8))
        #expect(document.samples.map(\.name) == ["before", "after"])
        #expect(document.skippedLines == 1)
        #expect(!document.truncated)
    }

    @Test func `exemplars and the end mark of OpenMetrics are tolerated`() {
        let document = PrometheusText.read(
            Array("a_bucket{le=\"1\"} 5 # {trace=\"x\"} 0.67 1.5\nb 1.5 1700000000.123 # {t=\"y\"} 1\n# EOF\n".utf8))
        #expect(document.samples.map(\.value) == [5, 1.5])
        #expect(document.skippedLines == 0)
    }

    @Test func `every limit holds and is reported`() {
        let many = (0..<100).map { "m\($0) \($0)\n" }.joined()
        let few = PrometheusText.read(Array(many.utf8), limits: .init(samples: 10))
        #expect(few.samples.count == 10)
        #expect(few.truncated)

        let short = PrometheusText.read(Array("first 12\nsecond 3456\n".utf8), limits: .init(bytes: 18))
        #expect(short.samples == [PrometheusSample(name: "first", value: 12)])
        #expect(short.truncated)
        #expect(PrometheusText.parse("first 12\nsecond 3456\n", limits: .init(bytes: 18)).map(\.name) == ["first"])

        let long = PrometheusText.read(
            Array("a{b=\"\(String(repeating: "x", count: 50))\"} 1\nc 1\n".utf8), limits: .init(lineBytes: 40))
        #expect(long.samples.map(\.name) == ["c"])
        #expect(long.skippedLines == 1)

        let labels = PrometheusText.read(Array("a{b=\"1\",c=\"2\",d=\"3\"} 1\n".utf8), limits: .init(labels: 2))
        #expect(labels.samples.isEmpty)
        #expect(labels.skippedLines == 1)
    }

    @Test func `the writer gives the text that the format describes`() {
        var writer = PrometheusText.Writer()
        writer.family("http_requests_total", .counter, help: "Requests\nanswered \\ all.")
        writer.sample("http_requests_total", 3, labels: [("code", "2xx"), ("path", "/\"a\"\n\\")])
        writer.single("load", .gauge, help: "Load.", value: 0.25)
        writer.sample("bad name", .infinity)
        writer.append("tail 1")
        writer.append("")
        #expect(
            writer.text == """
                # HELP http_requests_total Requests\\nanswered \\\\ all.
                # TYPE http_requests_total counter
                http_requests_total{code="2xx",path="/\\"a\\"\\n\\\\"} 3
                # HELP load Load.
                # TYPE load gauge
                load 0.25
                bad_name +Inf
                tail 1

                """)
    }
}

import OakumTestKit
import PrometheusText
import Testing

@Suite struct PrometheusTextFuzzTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `what the writer wrote, the parser reads`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let samples = (0..<Int.random(in: 0...20, using: &random)).map { _ in Self.sample(&random) }
            var writer = PrometheusText.Writer()
            for sample in samples {
                if Bool.random(using: &random) {
                    writer.family(sample.name, .gauge, help: Self.text(&random))
                }
                writer.sample(sample.name, sample.value, labels: sample.labels.map { ($0.key, $0.value) })
            }
            let document = PrometheusText.read(Array(writer.text.utf8))
            #expect(document.samples == samples)
            #expect(document.skippedLines == 0)
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `no bytes break the parser, and it accounts for every line`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("ab_:1 \t\n{}=\",\\#+-.einfNa\r".utf8)
        for _ in 0..<2_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                bytes = Array("m{a=\"b\"} 1\n".utf8) + bytes
            }
            let document = PrometheusText.read(bytes, limits: .init(bytes: 150, samples: 5, lineBytes: 60, labels: 2))
            let lines = bytes.split(separator: UInt8(ascii: "\n")).count
            #expect(document.samples.count <= 5)
            #expect(document.samples.count + document.skippedLines <= lines)
            #expect(document.samples.allSatisfy { !$0.name.isEmpty && $0.labels.count <= 2 })
            #expect(document.truncated || bytes.count <= 150)
        }
    }

    @Test(arguments: [21, 22] as [UInt64])
    func `a mutated text loses at most the lines that were hit`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let lines = (0..<20).map { "metric_\($0){code=\"2xx\"} \($0)" }
            var hit = lines
            let index = Int.random(in: 0..<20, using: &random)
            var bytes = Array(hit[index].utf8)
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x21...0x7E, using: &random)
            hit[index] = String(decoding: bytes, as: UTF8.self)
            let names = PrometheusText.parse(hit.joined(separator: "\n")).map(\.name)
            for other in 0..<20 where other != index {
                #expect(names.contains("metric_\(other)"))
            }
        }
    }

    private static func sample(_ random: inout SeededGenerator) -> PrometheusSample {
        let names = ["a", "http_requests_total", "ns:rule:sum", "_x9"]
        var labels: [String: String] = [:]
        for name in ["code", "path", "_z"] where Bool.random(using: &random) {
            labels[name] = text(&random)
        }
        let values: [Double] = [
            0, 1, -1, 0.1, 1e300, .leastNonzeroMagnitude, .infinity, 9_007_199_254_740_994,
            Double(bitPattern: random.next() & 0x7FEF_FFFF_FFFF_FFFF),
        ]
        return PrometheusSample(
            name: names.randomElement(using: &random) ?? "a", labels: labels,
            value: values.randomElement(using: &random) ?? 0)
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let alphabet: [Character] = ["a", "\"", "\\", "\n", "n", "{", "}", ",", "=", " ", "é", "漢", "#", "\t"]
        return String(
            (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) })
    }
}

/// The Prometheus text exposition format, version 0.0.4: a writer and a bounded, tolerant parser.
///
/// Source: "Exposition formats" in the Prometheus documentation. Pure: text in, values out.
package enum PrometheusText {
    /// What an HTTP answer with this text states as its `Content-Type`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// How large a text the parser takes. A worker's `/metrics` is outside data: it must not be able to fill our memory.
    package struct Limits: Sendable {
        /// Bytes read from the start of the text; the rest is left unread and `Document.truncated` is set.
        package var bytes: Int
        /// Samples kept; the rest of the text is left unread and `Document.truncated` is set.
        package var samples: Int
        /// Bytes in one line; a longer line is skipped and counted.
        package var lineBytes: Int
        /// Labels on one sample; a line with more is skipped and counted.
        package var labels: Int

        /// Makes limits; the defaults hold for every exporter known to us and bound the result to some tens of MiB.
        package init(
            bytes: Int = 4 << 20, samples: Int = 20_000, lineBytes: Int = 16 << 10, labels: Int = 64
        ) {
            self.bytes = bytes
            self.samples = samples
            self.lineBytes = lineBytes
            self.labels = labels
        }
    }

    /// What was understood of a text, and how much was not.
    package struct Document: Sendable {
        /// Samples in the order of the text.
        package var samples: [PrometheusSample] = []
        /// Lines that are neither blank, nor a comment, nor a sample within the limits.
        package var skippedLines = 0
        /// Whether a limit on bytes or samples cut the text off.
        package var truncated = false
    }

    /// Reads the samples of a text; lines that are not understood are left out.
    ///
    /// Use `read(_:limits:)` to learn how many lines were left out. Cost: linear in the text.
    package static func parse(_ text: String, limits: Limits = Limits()) -> [PrometheusSample] {
        read(Array(text.utf8.prefix(limits.bytes &+ 1)), limits: limits).samples
    }

    /// Reads the samples of a text given as bytes, and says what was skipped.
    ///
    /// Tolerated: carriage returns, a missing last newline, timestamps (dropped), OpenMetrics exemplars (dropped),
    /// unknown escapes (kept as written) and bytes that are not UTF-8 (replaced by U+FFFD).
    package static func read(_ bytes: [UInt8], limits: Limits = Limits()) -> Document {
        var document = Document()
        document.truncated = bytes.count > limits.bytes
        let end = min(bytes.count, max(0, limits.bytes))
        var start = 0
        while start < end {
            let stop = bytes[start..<end].firstIndex(of: Byte.newline) ?? end
            if document.samples.count >= limits.samples {
                document.truncated = true
                break
            }
            // The last line of a text that was cut off may be half a number: it says nothing reliable.
            if stop == end, document.truncated {
                break
            }
            add(line: bytes[start..<stop], to: &document, limits: limits)
            start = stop + 1
        }
        return document
    }

    private static func add(line: ArraySlice<UInt8>, to document: inout Document, limits: Limits) {
        var scanner = LineScanner(line)
        scanner.skipBlanks()
        guard let first = scanner.peek, first != Byte.hash else { return }
        if line.count <= limits.lineBytes, let sample = scanner.sample(maximumLabels: limits.labels) {
            document.samples.append(sample)
        } else {
            document.skippedLines += 1
        }
    }
}

/// One line of the format: a name, its labels and the value.
package struct PrometheusSample: Hashable, Sendable {
    /// Metric name, for example `http_requests_total`.
    package var name: String
    /// Label values by label name.
    package var labels: [String: String]
    /// The value; may be infinite or not a number, as the format allows.
    package var value: Double

    /// Makes a sample.
    package init(name: String, labels: [String: String] = [:], value: Double) {
        self.name = name
        self.labels = labels
        self.value = value
    }
}

extension Sequence where Element == PrometheusSample {
    /// The sum of all samples of this name whose labels include the given ones.
    ///
    /// `nil` when there is none: a metric that is absent is unknown, not zero.
    package func value(_ name: String, where labels: [String: String] = [:]) -> Double? {
        var sum: Double?
        for sample in self where sample.name == name {
            guard labels.allSatisfy({ sample.labels[$0.key] == $0.value }) else { continue }
            sum = (sum ?? 0) + sample.value
        }
        return sum
    }
}

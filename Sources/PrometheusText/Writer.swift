extension PrometheusText {
    /// Builds a text: a family's head, then its samples.
    ///
    /// Bytes of a name that the format does not allow are written as `_`, so that a text never breaks its reader.
    package struct Writer: Sendable {
        /// What a family measures, as its `TYPE` line states.
        package enum Kind: String, Sendable {
            case counter
            case gauge
            case histogram
            case summary
            case untyped
        }

        /// The text so far; every line is complete.
        package private(set) var text = ""

        /// Makes an empty text.
        package init() {}

        /// Adds the `HELP` and `TYPE` lines of a family; write its samples directly after it.
        package mutating func family(_ name: String, _ kind: Kind, help: String) {
            let name = Self.allowed(name, allowColon: true)
            text += "# HELP \(name) \(Self.escaped(help, quote: false))\n# TYPE \(name) \(kind.rawValue)\n"
        }

        /// Adds a sample; labels keep their order and must differ in name.
        package mutating func sample(_ name: String, _ value: Double, labels: [(String, String)] = []) {
            text += Self.allowed(name, allowColon: true)
            if !labels.isEmpty {
                let written = labels.map { label in
                    "\(Self.allowed(label.0, allowColon: false))=\"\(Self.escaped(label.1, quote: true))\""
                }
                text += "{\(written.joined(separator: ","))}"
            }
            text += " \(Self.number(value))\n"
        }

        /// Adds a family with a single sample without labels.
        package mutating func single(_ name: String, _ kind: Kind, help: String, value: Double) {
            family(name, kind, help: help)
            sample(name, value)
        }

        /// Adds a text that another writer made, completing its last line.
        package mutating func append(_ other: String) {
            text += other
            if let last = other.utf8.last, last != Byte.newline {
                text += "\n"
            }
        }

        private static func allowed(_ name: String, allowColon: Bool) -> String {
            var bytes = Array(name.utf8)
            for index in bytes.indices
            where !Byte.isNamePart(bytes[index], first: index == 0, allowColon: allowColon) {
                bytes[index] = Byte.underscore
            }
            return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
        }

        private static func escaped(_ text: String, quote: Bool) -> String {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.utf8.count)
            for byte in text.utf8 {
                switch byte {
                case Byte.backslash: bytes += [Byte.backslash, Byte.backslash]
                case Byte.newline: bytes += [Byte.backslash, Byte.letterN]
                case Byte.quote where quote: bytes += [Byte.backslash, Byte.quote]
                default: bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Whole numbers without a fraction; the words of the format for the values that are no numbers.
        private static func number(_ value: Double) -> String {
            if value.isNaN { return "NaN" }
            if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
            if let whole = Int64(exactly: value), abs(value) < 9_007_199_254_740_992 { return "\(whole)" }
            return "\(value)"
        }
    }
}

extension HeapProfile {
    /// Folded stacks: one line for each way to allocate, outermost function first, separated by `;`, then a space and the
    /// live bytes. What flamegraph.pl, inferno and speedscope read.
    ///
    /// The format has no escapes: in names `;` becomes `:`, a line break a space. Lines are sorted and end with a newline.
    package func foldedStacks() -> String {
        var totals: [String: Double] = [:]
        for stack in sites.lazy.flatMap(\.stacks) where stack.samples > 0 {
            let names = stack.shown.reversed().map { Self.folded($0.function) }
            totals[names.isEmpty ? "unknown" : names.joined(separator: ";"), default: 0] += stack.bytes
        }
        return totals.sorted { $0.key < $1.key }
            .map { "\($0.key) \(Wording.integer($0.value))\n" }.joined()
    }

    private static func folded(_ name: String) -> String {
        var bytes = Array(name.utf8)
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: ";"): bytes[index] = UInt8(ascii: ":")
            case 0..<0x20, 0x7F: bytes[index] = UInt8(ascii: " ")
            default: break
            }
        }
        return name.isEmpty ? "unknown" : String(decoding: bytes, as: UTF8.self)
    }
}

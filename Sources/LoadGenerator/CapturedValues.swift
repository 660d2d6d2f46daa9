/// Values taken from answers, by name: session tokens, say.
///
/// At most 10,000 a name; further values replace the oldest, so that expired tokens leave.
package struct CapturedValues: Sendable {
    package static let capacity = 10_000

    private var values: [String: [[UInt8]]] = [:]
    private var nextSlot: [String: Int] = [:]

    package init() {}

    /// Begins with these, as far as there is room.
    init(_ variables: [FlowVariable]) {
        for variable in variables { values[variable.name] = Array(variable.values.prefix(Self.capacity)) }
    }

    package mutating func add(_ value: [UInt8], as name: String) {
        if values[name, default: []].count < Self.capacity {
            values[name, default: []].append(value)
            return
        }
        let slot = nextSlot[name, default: 0]
        values[name, default: []][slot] = value
        nextSlot[name] = (slot + 1) % Self.capacity
    }

    /// One of the values, each as likely as the others; nil when there is none.
    package func pick(_ name: String, random: inout SeededRandom) -> [UInt8]? {
        guard let candidates = values[name], !candidates.isEmpty else { return nil }
        return candidates[Int(random.next() % UInt64(candidates.count))]
    }

    package func count(of name: String) -> Int {
        values[name]?.count ?? 0
    }
}

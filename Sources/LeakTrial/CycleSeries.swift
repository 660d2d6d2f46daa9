/// Memory after each cycle of operations, read when the program was quiet.
package struct CycleSeries: Hashable, Sendable {
    /// Operations since the program's start, rising.
    package private(set) var operations: [Double] = []
    /// Bytes in use.
    package private(set) var bytes: [Double] = []

    package init() {}

    /// Adds a reading. One that does not lie behind the last, or is no finite number, is left out, and false returned.
    @discardableResult
    package mutating func add(operations count: Double, bytes value: Double) -> Bool {
        guard count.isFinite, value.isFinite, count > (operations.last ?? -.infinity) else { return false }
        operations.append(count)
        bytes.append(value)
        return true
    }

    package var count: Int { bytes.count }
    /// Last reading less the first.
    package var growth: Double { (bytes.last ?? 0) - (bytes.first ?? 0) }
    /// Operations between the first and the last reading.
    package var span: Double { (operations.last ?? 0) - (operations.first ?? 0) }

    /// Rise from each reading to the next.
    var steps: [Double] { zip(bytes, bytes.dropFirst()).map { $1 - $0 } }

    /// The most that was ever given back: from a reading down to the lowest after it.
    var largestReturn: Double {
        var lowest = Double.infinity
        var largest = 0.0
        for value in bytes.reversed() {
            lowest = min(lowest, value)
            largest = max(largest, value - lowest)
        }
        return largest
    }

    /// What no later reading falls below, where memory is given back now and then (a collected heap): each reading replaced
    /// by the lowest from there on, without the last stretch, which nothing was given back after. Nil unless it came back
    /// four times.
    func floors(resolution: Double) -> CycleSeries? {
        let range = (bytes.max() ?? 0) - (bytes.min() ?? 0)
        let returns = steps.indices.filter { steps[$0] < -(range / 4 + 4 * resolution) }
        guard returns.count >= 4 else { return nil }
        let longest = zip(returns, returns.dropFirst()).map { $1 - $0 }.max() ?? 0
        guard count - longest - 1 >= 6 else { return nil }
        var result = CycleSeries()
        var lowest = Double.infinity
        var floors = bytes
        for index in bytes.indices.reversed() {
            lowest = min(lowest, bytes[index])
            floors[index] = lowest
        }
        for index in 0..<(count - longest - 1) { result.add(operations: operations[index], bytes: floors[index]) }
        return result
    }

    /// The series from a reading on.
    func suffix(from start: Int) -> CycleSeries {
        var part = CycleSeries()
        part.operations = Array(operations[start...])
        part.bytes = Array(bytes[start...])
        return part
    }
}

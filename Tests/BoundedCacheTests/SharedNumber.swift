import Synchronization

/// A number that several tasks count in.
final class SharedNumber: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }

    func add(_ amount: Int = 1) { number.add(amount, ordering: .relaxed) }

    func raise(to candidate: Int) { number.max(candidate, ordering: .relaxed) }
}

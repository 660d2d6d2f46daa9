package import RegistrationCore
internal import Synchronization

/// What hashing may use.
package struct HashingSettings: Hashable, Sendable {
    package var cost: HashCost
    /// Hashes at once.
    package var slots: Int
    /// How long a request may wait for a slot.
    package var longestWait: Duration
    /// The dearest stored hash that is verified: one that says more is treated as no hash at all.
    package var costLimit: HashCost

    /// Slots default to one a core, as far as `budgetBytes` holds their memory. Stored hashes may need what the budget
    /// gives a slot, so that all slots together never need more than the budget (or `slots` × `cost`, when that is more).
    package init(
        cost: HashCost = .standard, slots: Int? = nil, cores: Int, budgetBytes: Int = 128 * 1024 * 1024,
        longestWait: Duration = .milliseconds(500)
    ) {
        self.cost = cost
        self.slots = max(1, slots ?? min(cores, budgetBytes / max(1, cost.memoryBytes)))
        self.longestWait = longestWait
        costLimit = HashCost(
            memoryKiB: max(cost.memoryKiB, budgetBytes / 1024 / self.slots), passes: max(cost.passes, 10))
    }

    /// The memory all hashes together may take.
    package var memoryBoundBytes: Int { slots * costLimit.memoryBytes }
}

/// Argon2id on a fixed number of threads behind an `AdmissionQueue`.
///
/// Memory: at most `HashingSettings.memoryBoundBytes` while hashes run, none between. A request that finds no slot in time
/// gets `HashingError.busy`; one whose task is cancelled while it waits leaves the queue.
package final class HashingPool: PasswordHasher {
    package let settings: HashingSettings
    private let sodium: Sodium
    private let queue: HashingQueue
    /// What unknown accounts are compared with: a hash of random bytes that nobody knows.
    private let nobody: PasswordHash

    /// Starts the threads and computes one hash, so that a cost which cannot work fails here.
    package init(settings: HashingSettings, sodium: Sodium) throws(HashingSetUpError) {
        self.settings = settings
        self.sodium = sodium
        let random = Base64URL.encode(sodium.randomBytes(32))
        // 43 ASCII characters meet every policy.
        guard let secret = try? PasswordPolicy().newPassword(random, normalise: { $0 }),
            let nobody = sodium.argon2id(secret, cost: settings.cost)
        else { throw .costUnusable(settings.cost) }
        self.nobody = nobody
        queue = try HashingQueue(settings: .init(slots: settings.slots, deadline: settings.longestWait))
    }

    package func hash(_ password: Password) async throws(HashingError) -> PasswordHash {
        let cost = settings.cost
        let hash = try await queue.run(.signUp) { [sodium] in sodium.argon2id(password, cost: cost) }
        guard let hash else { throw .failed }
        return hash
    }

    package func matches(_ password: Password, phc: String?) async throws(HashingError) -> Bool {
        let stored = phc.flatMap { verifiable($0) }
        let compared = stored ?? nobody
        let matches = try await queue.run(.login) { [sodium] in sodium.matches(password, compared) }
        guard let matches else { throw .failed }
        return matches && stored != nil
    }

    /// What the queue holds and has seen.
    package var statistics: HashingStatistics { queue.statistics }

    /// Refuses everything from now on; what runs finishes.
    package func close() {
        queue.close()
    }

    private func verifiable(_ phc: String) -> PasswordHash? {
        do throws(PasswordHashProblem) {
            let hash = try PasswordHash(phc: phc)
            if hash.cost.memoryKiB <= settings.costLimit.memoryKiB, hash.cost.passes <= settings.costLimit.passes {
                return hash
            }
        } catch {
            // Counted below with those that cost too much: both mean that an account's hash cannot be used.
        }
        queue.countUnverifiable()
        return nil
    }
}

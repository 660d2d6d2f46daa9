import OakumTestKit
import RegistrationCore
import RegistrationStoreSQLite
import Testing

/// What every account store must do, whoever keeps the data.
@Suite struct AccountStoreContract {
    enum Kind: CaseIterable, Sendable {
        case memory
        case sqlite
    }

    static func with(_ kind: Kind, _ body: (any AccountStore & SessionStore) async throws -> Void) async throws {
        switch kind {
        case .memory: try await body(InMemoryAccountStore())
        case .sqlite:
            try await withTemporaryFolder { folder in
                let store = try SQLiteAccountStore(path: folder.file("accounts.sqlite"))
                try await body(store)
                try store.close()
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `a new address is added once and keeps its first account`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            #expect(try await store.credentials(emailKey: "ada@example.org") == nil)
            #expect(try await store.add(Accounts.account("Ada@example.org", hash: 1)))
            let first = try #require(try await store.credentials(emailKey: "ada@example.org"))
            #expect(first.phc == Accounts.hash(1))
            #expect(try await !store.add(Accounts.account("ada@EXAMPLE.org", hash: 2)))
            #expect(try await !store.add(Accounts.account("ada@example.org", hash: 3)))
            #expect(try await store.credentials(emailKey: "ada@example.org") == first)
            #expect(try await store.add(Accounts.account("bob@example.org", hash: 4)))
            #expect(try await store.credentials(emailKey: "bob@example.org")?.account != first.account)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a session lives until the second it expires and shows whose it is`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let account = try await Accounts.add("Ada@example.org", to: store)
            try await store.open(Accounts.session(1, of: account, from: 100, to: 200), maximumPerAccount: 20)
            let info = try #require(try await store.session(Accounts.digest(1), at: UnixTime(seconds: 199)))
            #expect(info.email == "Ada@example.org")
            #expect(info.accountID == "id of ada@example.org")
            #expect(info.expiresAt == UnixTime(seconds: 200))
            #expect(try await store.session(Accounts.digest(1), at: UnixTime(seconds: 200)) == nil)
            #expect(try await store.session(Accounts.digest(2), at: UnixTime(seconds: 150)) == nil)
        }
    }

    @Test(arguments: Kind.allCases)
    func `the oldest session beyond the account's bound ends, and nobody else's`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let ada = try await Accounts.add("ada@example.org", to: store)
            let bob = try await Accounts.add("bob@example.org", to: store)
            try await store.open(Accounts.session(100, of: bob, from: 1, to: 1000), maximumPerAccount: 3)
            for number in 1...5 {
                try await store.open(
                    Accounts.session(number, of: ada, from: Int64(10 * number), to: 1000), maximumPerAccount: 3)
            }
            let now = UnixTime(seconds: 60)
            var live: [Int] = []
            for number in [1, 2, 3, 4, 5, 100] where try await store.session(Accounts.digest(number), at: now) != nil {
                live.append(number)
            }
            #expect(live == [3, 4, 5, 100])
        }
    }

    @Test(arguments: Kind.allCases)
    func `the newest session stays even when all began in one second`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let ada = try await Accounts.add("ada@example.org", to: store)
            for number in (1...9).reversed() {
                try await store.open(Accounts.session(number, of: ada, from: 10, to: 1000), maximumPerAccount: 2)
                #expect(try await store.session(Accounts.digest(number), at: UnixTime(seconds: 11)) != nil)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `expired sessions of anybody go as new ones come`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let ada = try await Accounts.add("ada@example.org", to: store)
            let bob = try await Accounts.add("bob@example.org", to: store)
            for number in 1...6 {
                try await store.open(Accounts.session(number, of: ada, from: 10, to: 20), maximumPerAccount: 20)
            }
            for number in 11...13 {
                try await store.open(Accounts.session(number, of: bob, from: 30, to: 1000), maximumPerAccount: 20)
            }
            // Asked for a time at which they still lived: at least two went for each new one, so all six.
            for number in 1...6 {
                #expect(try await store.session(Accounts.digest(number), at: UnixTime(seconds: 15)) == nil)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `a session of no account is refused`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let error = await #expect(throws: StoreError.self) {
                try await store.open(Accounts.session(1, of: 77, from: 1, to: 2), maximumPerAccount: 20)
            }
            guard case .failed = error else {
                Issue.record("expected .failed, got \(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `a session that is ended is gone, and endings before their time are counted`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            let ada = try await Accounts.add("ada@example.org", to: store)
            let start = try store.endings()
            for number in 1...3 {
                try await store.open(
                    Accounts.session(number, of: ada, from: Int64(number), to: 1000), maximumPerAccount: 3)
            }
            #expect(try store.endings() == start)
            #expect(try await store.end(Accounts.digest(2)))
            #expect(try await store.session(Accounts.digest(2), at: UnixTime(seconds: 5)) == nil)
            #expect(try await store.session(Accounts.digest(3), at: UnixTime(seconds: 5)) != nil)
            let afterOne = try store.endings()
            #expect(afterOne > start)
            #expect(try await !store.end(Accounts.digest(2)))
            #expect(try store.endings() == afterOne)
            // Beyond the account's bound: the oldest has to go.
            for number in 4...5 {
                try await store.open(
                    Accounts.session(number, of: ada, from: Int64(number), to: 1000), maximumPerAccount: 3)
            }
            #expect(try store.endings() > afterOne)
        }
    }

    @Test(arguments: Kind.allCases)
    func `an account shows its profile, an unknown one shows none`(kind: Kind) async throws {
        try await Self.with(kind) { store in
            _ = try await Accounts.add("Ada@example.org", to: store)
            let profile = try await store.profile(accountID: "id of ada@example.org")
            let expected = Profile(
                accountID: "id of ada@example.org", email: "Ada@example.org", createdAt: UnixTime(seconds: 1))
            #expect(profile == expected)
            #expect(try await store.profile(accountID: "id of bob@example.org") == nil)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a store in order is ready`(kind: Kind) async throws {
        try await Self.with(kind) { store in try await store.check() }
    }

    @Test func `any sequence of calls gives the same answers from both stores`() async throws {
        try await forAll(seeds: 15) { generator in
            var steps: [Step] = []
            var clock: Int64 = 0
            for _ in 0..<60 {
                clock += Int64(generator.int(0...5))
                switch generator.int(0...3) {
                case 0: steps.append(.add(generator.int(1...4)))
                case 1:
                    steps.append(
                        .open(
                            steps.count, account: generator.int(1...4), at: clock, lasting: Int64(generator.int(1...40))
                        ))
                default: steps.append(.look(generator.int(0...60), at: clock))
                }
            }
            var answers: [[String]] = []
            for kind in Kind.allCases {
                try await Self.with(kind) { store in answers.append(try await Self.run(steps, on: store)) }
            }
            #expect(answers.first == answers.last)
        }
    }

    enum Step {
        case add(Int)
        case open(Int, account: Int, at: Int64, lasting: Int64)
        case look(Int, at: Int64)
    }

    /// The answers as texts. Sessions begin in different seconds, since which of two equally old ones ends first is open.
    static func run(_ steps: [Step], on store: any AccountStore & SessionStore) async throws -> [String] {
        var answers: [String] = []
        for (index, step) in steps.enumerated() {
            switch step {
            case .add(let number):
                answers.append("\(try await store.add(Accounts.account("\(number)@example.org", hash: index)))")
            case .open(let number, let account, let at, let lasting):
                guard let known = try await store.credentials(emailKey: "\(account)@example.org") else { continue }
                let begin = at * 100 + Int64(index)
                let session = try Accounts.session(number, of: known.account, from: begin, to: begin + lasting * 100)
                try await store.open(session, maximumPerAccount: 3)
            case .look(let number, let at):
                let info = try await store.session(
                    Accounts.digest(number), at: UnixTime(seconds: at * 100 + Int64(index)))
                answers.append(info.map { "\($0)" } ?? "none")
            }
        }
        return answers
    }
}

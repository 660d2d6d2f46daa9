package import OakumModel

/// The fault under an Oakum that only observes: what was lost, who was told, and whether the numbers were right. Times are
/// seconds after the first request of the arm.
package struct ObservedReport: Hashable, Sendable, Codable {
    package var load: ArmNumbers
    /// Workers that were killed over their budget.
    package var kills: Int
    /// What Oakum did although it was to do nothing, in words.
    package var acts: [String]
    package var verdict: VerdictCode
    /// What did not happen is null.
    package var leakOnsetSeconds: Double?
    package var detectedSeconds: Double?
    package var impactOnsetSeconds: Double?
    /// From detection to the impact: how much earlier it was known than felt.
    package var leadTimeSeconds: Double?
    /// The first message to the business.
    package var messageSeconds: Double?
    package var restoredSeconds: Double?
    /// Everything the business was told.
    package var messages: [BusinessMessage]
    /// Null: no message held numbers.
    package var business: BusinessNumbers?
    package var paging: PagingReport?

    private enum CodingKeys: String, CodingKey {
        case kills, acts, verdict, messages, business
        case leakOnsetSeconds = "leak_onset_s"
        case detectedSeconds = "detected_s"
        case impactOnsetSeconds = "impact_s"
        case leadTimeSeconds = "lead_time_s"
        case messageSeconds = "message_s"
        case restoredSeconds = "restored_s"
    }

    init(
        load: ArmNumbers, kills: Int, acts: [String], verdict: VerdictCode, messages: [BusinessMessage] = [],
        paging: PagingReport? = nil
    ) {
        self.load = load
        self.kills = kills
        self.acts = acts
        self.verdict = verdict
        self.messages = messages
        self.paging = paging
    }

    package init(from decoder: any Decoder) throws {
        load = try ArmNumbers(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kills = try container.decode(Int.self, forKey: .kills)
        acts = try container.decode([String].self, forKey: .acts)
        verdict = try container.decode(VerdictCode.self, forKey: .verdict)
        leakOnsetSeconds = try container.decodeIfPresent(Double.self, forKey: .leakOnsetSeconds)
        detectedSeconds = try container.decodeIfPresent(Double.self, forKey: .detectedSeconds)
        impactOnsetSeconds = try container.decodeIfPresent(Double.self, forKey: .impactOnsetSeconds)
        leadTimeSeconds = try container.decodeIfPresent(Double.self, forKey: .leadTimeSeconds)
        messageSeconds = try container.decodeIfPresent(Double.self, forKey: .messageSeconds)
        restoredSeconds = try container.decodeIfPresent(Double.self, forKey: .restoredSeconds)
        messages = try container.decode([BusinessMessage].self, forKey: .messages)
        business = try container.decodeIfPresent(BusinessNumbers.self, forKey: .business)
        paging = try PagingReport(ifPresentIn: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        try load.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kills, forKey: .kills)
        try container.encode(acts, forKey: .acts)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(leakOnsetSeconds, forKey: .leakOnsetSeconds)
        try container.encode(detectedSeconds, forKey: .detectedSeconds)
        try container.encode(impactOnsetSeconds, forKey: .impactOnsetSeconds)
        try container.encode(leadTimeSeconds, forKey: .leadTimeSeconds)
        try container.encode(messageSeconds, forKey: .messageSeconds)
        try container.encode(restoredSeconds, forKey: .restoredSeconds)
        try container.encode(messages, forKey: .messages)
        try container.encode(business, forKey: .business)
        try paging?.encode(to: encoder)
    }
}

/// A message to the business as it arrived.
package struct BusinessMessage: Hashable, Sendable, Codable {
    package var seconds: Double
    package var text: String

    private enum CodingKeys: String, CodingKey {
        case text
        case seconds = "at_s"
    }
}

/// What the last message with numbers said, beside what the load counted of the same time.
package struct BusinessNumbers: Hashable, Sendable, Codable {
    /// "sign-ups".
    package var what: String
    package var told: Double
    package var expectedTold: Double
    package var percentTold: Double
    /// Requests of the load that were answered as expected within the time the message is about.
    package var counted: Double
    /// What the load's rate comes to in that time.
    package var expectedCounted: Double
    package var percentCounted: Double
    /// The time the message is about.
    package var fromSeconds: Double
    package var untilSeconds: Double
    /// How far the two percentages may be apart, and the two expectations, of what was counted: percentage points.
    package var tolerancePoints: Double

    /// Both agree within the tolerance.
    package var isRight: Bool {
        expectedCounted > 0 && abs(percentTold - percentCounted) <= tolerancePoints
            && abs(expectedTold / expectedCounted - 1) * 100 <= tolerancePoints
    }

    private enum CodingKeys: String, CodingKey {
        case what, told, counted
        case expectedTold = "expected_told"
        case percentTold = "percent_told"
        case expectedCounted = "expected_counted"
        case percentCounted = "percent_counted"
        case fromSeconds = "from_s"
        case untilSeconds = "until_s"
        case tolerancePoints = "tolerance_points"
        case isRight = "numbers_right"
    }

    init(
        what: String, told: Double, expectedTold: Double, counted: Double, expectedCounted: Double, fromSeconds: Double,
        untilSeconds: Double, tolerancePoints: Double
    ) {
        self.what = what
        self.told = told
        self.expectedTold = expectedTold
        self.counted = counted
        self.expectedCounted = expectedCounted
        self.fromSeconds = fromSeconds
        self.untilSeconds = untilSeconds
        self.tolerancePoints = tolerancePoints
        percentTold = Self.percent(told, expectedTold)
        percentCounted = Self.percent(counted, expectedCounted)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            what: try container.decode(String.self, forKey: .what),
            told: try container.decode(Double.self, forKey: .told),
            expectedTold: try container.decode(Double.self, forKey: .expectedTold),
            counted: try container.decode(Double.self, forKey: .counted),
            expectedCounted: try container.decode(Double.self, forKey: .expectedCounted),
            fromSeconds: try container.decode(Double.self, forKey: .fromSeconds),
            untilSeconds: try container.decode(Double.self, forKey: .untilSeconds),
            tolerancePoints: try container.decode(Double.self, forKey: .tolerancePoints))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(what, forKey: .what)
        try container.encode(told, forKey: .told)
        try container.encode(expectedTold, forKey: .expectedTold)
        try container.encode(percentTold, forKey: .percentTold)
        try container.encode(counted, forKey: .counted)
        try container.encode(expectedCounted, forKey: .expectedCounted)
        try container.encode(percentCounted, forKey: .percentCounted)
        try container.encode(fromSeconds, forKey: .fromSeconds)
        try container.encode(untilSeconds, forKey: .untilSeconds)
        try container.encode(tolerancePoints, forKey: .tolerancePoints)
        try container.encode(isRight, forKey: .isRight)
    }

    private static func percent(_ actual: Double, _ expected: Double) -> Double {
        guard expected > 0 else { return 0 }
        return ((actual / expected - 1) * 1_000).rounded() / 10
    }
}

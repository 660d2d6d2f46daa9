import Testing

@testable import LoadGenerator

struct RampTests {
    private func arrivals(_ pattern: ArrivalPattern, _ steps: [LoadStep], seed: UInt64 = 1) -> [Double] {
        let plan = LoadPlan(
            seed: seed, targets: [LoadTarget(port: 1)],
            streams: [
                LoadStream(request: RequestTemplate(name: "a", path: TextTemplate(literal: "/")), arrivals: pattern)
            ], steps: steps)
        return ArrivalSchedule(plan: plan).map { Double($0.offsetNanoseconds) / 1e9 }
    }

    @Test func `a uniform ramp sends what the integral of its rate says`() {
        // 0 to 100 a second in 10 s: request k (counted from a half) is due when 5·t² = k, so at √(k/5).
        let times = arrivals(.uniform, [LoadStep(seconds: 10, perSecond: [0], perSecondAtEnd: [100])])
        #expect(times.count == 500)
        for (number, time) in times.enumerated() {
            #expect(abs(time - ((Double(number) + 0.5) / 5).squareRoot()) < 1e-6)
        }
    }

    @Test func `a ramp down ends in silence`() {
        let times = arrivals(.uniform, [LoadStep(seconds: 10, perSecond: [100], perSecondAtEnd: [0])])
        #expect(times.count == 500)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(times.filter { $0 < 5 }.count == 375)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a Poisson ramp has the right mean in each half`(seed: UInt64) {
        let times = arrivals(.poisson, [LoadStep(seconds: 20, perSecond: [50], perSecondAtEnd: [150])], seed: seed)
        // Means 750 and 1,250; six standard deviations.
        #expect((585...915).contains(times.filter { $0 < 10 }.count))
        #expect((1_038...1_462).contains(times.filter { $0 >= 10 }.count))
    }

    @Test func `users come and go evenly, and the schedule ends`() {
        let schedule = UserSchedule(steps: [
            LoadStep(seconds: 10, users: 0, usersAtEnd: 100), LoadStep(seconds: 5, users: 100),
            LoadStep(seconds: 10, users: 100, usersAtEnd: 0),
        ])
        #expect([0, 5, 12, 20, 24.99, 25].map(schedule.users(at:)) == [0, 50, 100, 50, 0, nil])
        #expect(schedule.most == 100)
    }

    @Test func `keys of a shape differ, and are the same again for the same seed`() throws {
        let ring = KeyRing(source: .pool(50), seed: 3, freshSalt: 77)
        func text(_ template: String, _ number: UInt64) throws -> String {
            var inputs = TemplateInputs(index: 0, random: SeededRandom(seed: 1))
            (inputs.fresh, inputs.key) = ring.keys(number: number, turn: number)
            var bytes: [UInt8] = []
            let template = try TextTemplate(dollars: template)
            #expect(template.append(to: &bytes, &inputs))
            return String(decoding: bytes, as: UTF8.self)
        }
        for shape in ["", ":hex", ":int", ":uuid"] {
            let fresh = try (0..<1_000).map { try text("${fresh\(shape)}", $0) }
            #expect(Set(fresh).count == 1_000)
            #expect(Set(try (0..<1_000).map { try text("${key\(shape)}", $0) }).count == 50)
            #expect(try text("${key\(shape)}", 7) == text("${key\(shape)}", 57))
        }
        let uuid = try text("${fresh:uuid}", 1)
        #expect(uuid.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        #expect(try text("$${x} costs $5 ${index}", 0) == "${x} costs $5 0")
        #expect(throws: TextTemplate.Failure.badName("key:odd")) { try TextTemplate(dollars: "${key:odd}") }
        #expect(throws: TextTemplate.Failure.unclosed) { try TextTemplate(dollars: "a ${b") }
    }
}

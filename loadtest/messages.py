"""Synthetic Korean and English text messages: templates with names, sums, codes and links filled
in. They have the lengths and the make-up of such traffic and say nothing of how good a filter is."""

import json
import random

HAM = [
    "Hi {name}, are we still on for {time}? It is about {code}", "Your parcel {code} arrives today, {time}.",
    "Can you call me when you get home? {name} {code}", "Lunch at {time}? I booked a table for {small}, number {code}",
    "{name}님 오늘 {time}에 회의 있습니다 회의실 {code}", "어머니 {time}쯤 도착할 것 같아요 {code}",
    "[택배] 운송장 {code} 오늘 배송 예정입니다", "인증번호는 {code}입니다. 타인에게 알리지 마세요",
    "Thanks {name}, got it. See you on day {small}, {code}", "{name}아 저녁 먹었어? {time}에 전화할게 {code}",
]
SPAM = [
    "WINNER!! Claim your {sum} prize now: http://{link}", "FREE entry, txt WIN to {code} now",
    "URGENT: your account is locked, click http://{link}", "Get cash {sum} today, no checks {link}",
    "(광고) 무료 당첨! 상품권 {sum}원 수령 http://{link}", "무 료 대 출 최대 {sum}만원 즉시 입금 {link}",
    "[국제발신] 해외결제 {sum}원 승인, 문의 {link}", "고수익 알바 하루 {sum}만원 클릭 {link}",
]
NAMES = ["Minji", "John", "Seo-yeon", "지훈", "서연", "Alex", "민수", "Sarah"]


def message(draw, spam_share):
    template = draw.choice(SPAM if draw.random() < spam_share else HAM)
    return template.format(
        name=draw.choice(NAMES), time=f"{draw.randrange(24)}:{draw.randrange(60):02}",
        code=draw.randrange(10**5, 10**9), small=draw.randrange(2, 30),
        sum=draw.randrange(10, 5000) * 10,
        link=f"{draw.randrange(36**6):x}.example/{draw.randrange(36**4):x}")


def stream(count, duplicates=0.0, spam_share=0.3, seed=1, recent=1000):
    """`count` messages of which this share repeats one of the last `recent` distinct ones, as a
    campaign does, some with other spaces or letters in upper case."""
    draw = random.Random(seed)
    last, result = [], []
    for _ in range(count):
        if last and draw.random() < duplicates:
            text = draw.choice(last)
            if draw.random() < 0.2:
                text = text.upper() if draw.random() < 0.5 else text.replace(" ", "  ")
        else:
            text = message(draw, spam_share)
            last.append(text)
            if len(last) > recent:
                last.pop(0)
        result.append(text)
    return result


def labelled(count, seed=2):
    """Lines for `joulegate train-spam`."""
    draw = random.Random(seed)
    return "".join(
        f"{label}\t{message(draw, share)}\n"
        for _ in range(count) for label, share in (("spam", 1), ("ham", 0)))


def bodies(texts, model="spam"):
    return "".join(
        json.dumps({"model": model, "input": text}, ensure_ascii=False) + "\n" for text in texts)

"""What is said in the end-of-turn test set."""

from __future__ import annotations

# A stroke is where the pause is. What follows an empty line is held out.
SAID = {
    ("finished", "en"): """
        What's the weather like in Paris today?
        How many people live in Tokyo?
        Where did I put my keys?
        Could you recommend a good book?
        Do you know who wrote Hamlet?
        Please set a timer for ten minutes.
        Tell me a joke about penguins.
        Turn off the kitchen lights.
        Translate good morning into Chinese.
        My brother works at a hospital in Boston.
        I finished reading the novel last night.
        We had dinner with our neighbours on Sunday.
        That sounds like a good idea to me.
        I don't think it will rain tomorrow.
        No, I have never been there before.
        The blue one, please.
        When does the museum open on Sundays?
        Which one would you choose?
        Remind me to water the plants tomorrow.
        The meeting was moved to Friday afternoon.
        I'd rather have tea than coffee.
        Thanks, that was very helpful.

        What time does the last train leave?
        Please play some jazz music.
        I lost my umbrella on the bus.
        Is it too late to order?""",
    ("finished", "zh"): """
        今天北京的天气怎么样？
        东京有多少人口？
        你会说几种语言？
        这道菜应该怎么做？
        你能推荐一本好书吗？
        请帮我定一个十分钟的闹钟。
        给我讲一个关于企鹅的笑话。
        把厨房的灯关掉。
        把早上好翻译成英文。
        我哥哥在上海的一家医院工作。
        昨天晚上我看完了那本小说。
        我们周末和邻居一起吃了晚饭。
        我觉得这是个好主意。
        明天应该不会下雨。
        我从来没有去过那里。
        我要蓝色的那个。
        博物馆星期天几点开门？
        你会选哪一个？
        明天提醒我给花浇水。
        会议改到星期五下午了。
        我喜欢喝茶，不喜欢喝咖啡。
        谢谢你，这个很有用。

        最后一班火车几点走？
        请播放一点爵士乐。
        我把雨伞忘在公交车上了。
        现在还可以点餐吗？""",
    ("paused", "en"): """
        I would like to | book a table for two.
        Can you tell me how | to get to the station?
        My sister, who lives in | Canada, is coming to visit.
        The reason I am calling is | that my order has not arrived.
        I was wondering if | you could help me with my homework.
        When I get home tonight | I want to cook something simple.
        Please send an email to | my manager about the meeting.
        What is the difference between | a frog and a toad?
        I need a recipe for | chocolate cake without eggs.
        I would rather stay at home, because | I am a bit tired.
        Yesterday I bought a | new pair of running shoes.
        Do you have any idea what | the tickets cost?
        The best thing about my job is | the people I work with.
        Is there a bus from here to | the airport?
        Next week my parents and | my uncle are coming over.
        I think we should | leave before it gets dark.
        What I really need is | a quiet place to work.
        Could you please turn down | the music in the living room?
        I have been learning the piano for | almost three years now.
        If we leave before seven | we can avoid the traffic.
        My favourite part of the film was when | they finally met again.
        Please write a short poem about | the sea in winter.
        Could you look up | the opening hours of the library?
        My grandfather used to tell us that | winters were much colder.
        I am looking for a hotel near | the beach with a swimming pool.
        Do you think it would be better if | we met a bit earlier?
        The doctor told me to avoid | coffee for a few days.
        What is the name of the | actor in that new film?
        After the concert we | walked home along the river.
        Please add milk and | butter to my shopping list.

        I would prefer a room with | a view of the garden.
        Could you explain the rules of | the game once more?
        We are planning to spend | the summer in Portugal.
        My neighbour has a dog that | barks the whole night.
        How much does it cost to | send a parcel to Norway?
        The first thing I do every morning is | make a pot of coffee.
        Since we moved to the city | we hardly use the car.
        Please find me a flight from | Madrid to Vienna.""",
    ("paused", "zh"): """
        我想请你 | 帮我订一张桌子。
        你能告诉我怎么 | 去火车站吗？
        我姐姐住在 | 加拿大，她下个月来看我。
        我打电话是因为 | 我的订单还没有到。
        我想知道你能不能 | 帮我看一下作业。
        今天晚上回家以后 | 我想做点简单的饭。
        请给我的经理 | 发一封邮件。
        青蛙和蟾蜍之间 | 有什么区别？
        我需要一个 | 不放鸡蛋的蛋糕食谱。
        下个星期我和 | 我爸妈去旅行。
        昨天我买了一双 | 新的跑步鞋。
        我想买一台 | 便宜一点的电脑。
        我最喜欢这份工作的 | 地方是同事都很友好。
        从伦敦飞到罗马 | 要多长时间？
        请把这句话翻译成 | 法语和德语。
        我觉得我们应该 | 天黑以前出发。
        我真正需要的是 | 一个安静的地方。
        你可不可以把客厅的 | 音乐关小一点？
        我学钢琴已经有 | 差不多三年了。
        要是我们七点以前出发 | 就不会堵车。
        这部电影里我最喜欢的 | 是他们重逢的那一段。
        请写一首关于 | 冬天的大海的短诗。
        你能不能帮我查一下 | 图书馆的开放时间？
        我爷爷以前常说 | 冬天比现在冷得多。
        我在找一家离海边 | 很近的酒店。
        你觉得如果我们 | 早一点见面会不会更好？
        医生让我不要 | 喝咖啡。
        那部新电影里的 | 演员叫什么名字？
        听完音乐会我们就 | 沿着河走回家了。
        请把牛奶和 | 黄油加到购物清单里。

        我想要一个可以看到 | 花园的房间。
        你可以再解释一下这个游戏的 | 规则吗？
        我们打算夏天去 | 葡萄牙住一个月。
        我邻居家有一只 | 整夜都在叫的狗。
        寄一个包裹到 | 挪威要多少钱？
        我每天早上做的第一件事就是 | 煮一壶咖啡。
        自从我们搬到城里 | 就很少开车了。
        请帮我找一下从马德里 | 到维也纳的航班。""",
    ("afterthought", "en"): """
        We went to the mountains | and stayed in a little cabin.
        Could you explain why | the sky is blue?
        How long does it take | to fly from London to Rome?
        Remind me tomorrow morning | to call the dentist.
        I'll have the soup | and a glass of water.
        Is the shop open today | or only tomorrow?

        Can I bring a friend | and my little sister?""",
    ("afterthought", "zh"): """
        我们去了山里 | 住在一个小木屋里。
        你可以解释一下为什么 | 天空是蓝色的吗？
        你会做蛋糕吗 | 不放鸡蛋的那种。
        明天早上提醒我 | 给牙医打电话。
        我要一碗汤 | 和一杯水。
        商店今天开门吗 | 还是明天才开？

        我可以带朋友吗 | 还有我妹妹。""",
    ("trailing", "en"): """
        I went to the shop, and so… | I bought some milk.
        It was a good film, but… | the ending was too long.
        I wanted to ask you about, um… | the trip next week.
        I like it because… | it reminds me of home.
        Let me think, it was… | the third of March.
        You know, the thing is… | I am not very hungry.
        We could go by train, or… | we could take the car.
        For dinner I would like some… | soup and bread.
        I was thinking that maybe… | we could meet on Friday.
        She said she would come, although… | she was quite tired.
        I need eggs, milk, and… | a little butter.
        He lives near the, er… | the old railway station.
        I would go with you, only… | I have to work that day.
        He promised to call, so I… | waited all evening.
        Maybe we should ask, um… | the people next door.
        It's not that I don't like it, it's just… | a little too sweet.

        I was about to leave, but then… | the phone rang.
        What I mean is, um… | can we do it another day?
        She asked me whether… | I could lend her some money.
        I'm not sure, I think it's… | somewhere in the kitchen.""",
    ("trailing", "zh"): """
        我去了商店，然后… | 我买了一些牛奶。
        这部电影很好看，但是… | 结局太长了。
        我想问一下那个… | 下个星期的旅行。
        我喜欢它是因为… | 它让我想起家乡。
        让我想想，好像是… | 三月三号。
        就是说，其实… | 我不太饿。
        我们可以坐火车，或者… | 自己开车去。
        晚饭我想吃一点… | 汤和面包。
        我在想，也许… | 我们可以星期五见面。
        她说她会来，不过… | 她有点累。
        我要买鸡蛋、牛奶，还有… | 一点黄油。
        他住在那个，呃… | 老火车站附近。
        我想跟你一起去，只是… | 那天我要上班。
        他答应给我打电话，所以我… | 等了一个晚上。
        也许我们应该问问，嗯… | 隔壁的邻居。
        不是我不喜欢，就是… | 有点太甜了。

        我正要出门，可是… | 电话响了。
        我的意思是，嗯… | 我们能不能改天？
        她问我能不能… | 借给她一点钱。
        我不太确定，应该是… | 在厨房里。""",
    ("backchannel", "en"): """
        Mm-hmm.
        Uh-huh.
        Yeah.
        Right.
        Okay.
        I see.
        Oh.
        Hmm.
        Yeah, yeah.
        Got it.
        Sure.
        Ah, okay.
        Exactly.
        Of course.
        Makes sense.
        Oh, really?
        Mhm.
        Alright.
        That's true.
        Wow.

        Oh, I see.
        Great.
        I understand.
        Yep.""",
    ("backchannel", "zh"): """
        嗯。
        嗯嗯。
        对。
        好的。
        是的。
        哦。
        对对对。
        是啊。
        明白。
        哦，这样啊。
        好。
        知道了。
        没错。
        真的吗？
        行。
        原来如此。
        嗯哼。
        好吧。
        有道理。
        懂了。

        这样啊。
        了解。
        对，没错。
        好的，好的。""",
    ("interruption", "en"): """
        Stop.
        Wait.
        No.
        Wait, no.
        Hold on.
        Stop talking, please.
        That's not what I asked.
        Can you say that again?
        What about tomorrow?
        Actually, I meant the other one.
        No, stop.
        Sorry, what was that?
        Let me say something.
        But I don't have a car.

        Hold on a second.
        That's wrong.
        Can you speak more slowly?""",
    ("interruption", "zh"): """
        停。
        等一下。
        不对。
        别说了。
        停一下，别说了。
        不是，我不是这个意思。
        你能再说一遍吗？
        那明天呢？
        我说的是另一个。
        换个话题吧。
        别说了，停。
        不好意思，你刚才说什么？
        让我说一句。
        可是我没有车。

        等等。
        你说错了。
        你可以说慢一点吗？""",
}
